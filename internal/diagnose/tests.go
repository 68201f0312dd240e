package diagnose

import "github.com/buildmedic/buildmedic/internal/codebuild"

// MaxTests is how many failed tests a diagnosis names.
const MaxTests = 200

// maxTestBytes bounds what the failed tests of a diagnosis say beyond their names.
const maxTestBytes = 32 << 10

// failedTests returns the tests that failed, and how many more there are.
func (x *facts) failedTests() (list []codebuild.TestCase, more int) {
	all := x.Tests
	if len(all) == 0 {
		for _, r := range x.reports {
			all = append(all, r.Failed...)
			more += max(0, r.Count-len(r.Failed))
		}
	}
	size := 0
	for _, t := range all {
		for _, s := range []*string{&t.Suite, &t.Name, &t.Message, &t.At} {
			*s = printable(clip(*s, 400))
		}
		if len(list) == MaxTests {
			more++
			continue
		}
		if size += len(t.Message) + len(t.At); size > maxTestBytes {
			t.Message, t.At = "", ""
		}
		list = append(list, t)
	}
	return list, more
}
