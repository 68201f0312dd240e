package permissions

import (
	"github.com/buildmedic/buildmedic/internal/iampolicy"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// ownBuild holds only for the start of a build that is the project's own:
// its role, image, source and privileges, and its buildspec unless settings
// list others. What may be set besides is what a build may have overridden and
// has again (AWS.md#conditions-on-starts).
func ownBuild(p settings.Project) []iampolicy.Condition {
	cs := append(unset("encryptionKey", "environment.certificate", "environment.fleet.fleetArn", "environment.image",
		"environment.imagePullCredentialsType", "environment.type", "serviceRole", "source.auth.type", "source.location"),
		untrue("artifacts", "environment.privilegedMode", "environment.registryCredential", "secondaryArtifacts", "secondarySources",
			"source.insecureSsl")...)
	if len(p.Buildspecs) == 0 {
		cs = append(cs, unset("source.buildspec")...)
	}
	return cs
}

// roleOnly holds only for a change of a project that leaves all but its role as
// it is.
func roleOnly() []iampolicy.Condition {
	return append(unset("encryptionKey", "environment.image", "fileSystemLocations.location", "source.buildspec", "source.location",
		"vpcConfig.vpcId"), untrue("artifacts", "buildBatchConfig", "cache", "environment", "logsConfig", "secondaryArtifacts",
		"secondarySources", "source", "vpcConfig")...)
}

// unset holds while the request sets none of these.
func unset(keys ...string) (cs []iampolicy.Condition) {
	for _, k := range keys {
		cs = append(cs, equals("Null", "codebuild:"+k, "true"))
	}
	return cs
}

// untrue is the same for what is a truth value, or tells whether a structure
// is there: whether such a key is missing then, or false, AWS does not say.
func untrue(keys ...string) (cs []iampolicy.Condition) {
	for _, k := range keys {
		cs = append(cs, equals("BoolIfExists", "codebuild:"+k, "false"))
	}
	return cs
}
