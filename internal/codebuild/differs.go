package codebuild

// Differs names the settings in which another build, which repeats this one, is
// other than it, as far as both records tell. What a retry takes from the
// project as it is now is not documented (AWS.md#undocumented).
func (b Build) Differs(other Build) (names []string) {
	for _, s := range []struct{ name, was, is string }{
		{"source type", b.SourceType, other.SourceType},
		{"buildspec", b.Buildspec, other.Buildspec},
		{"image", b.Image, other.Image},
		{"service role", roleName(b.ServiceRole), roleName(other.ServiceRole)},
	} {
		if s.was != "" && s.is != "" && s.was != s.is {
			names = append(names, s.name)
		}
	}
	return names
}

// roleName is the name of a role in any of the forms in which records name it
// (AWS.md#service-role): no two roles of an account have the same.
func roleName(role string) string {
	_, name := SplitPath(role)
	return name
}
