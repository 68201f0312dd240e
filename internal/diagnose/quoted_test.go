package diagnose

import (
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
)

// TestQuotedCause: what somebody wrote about a failure names its cause, and nothing is started again
// for it. In the log of a build the same lines only show what they quote.
func TestQuotedCause(t *testing.T) {
	for text, cause := range map[string]string{
		"* The job fails with `ShopException: 503 Slow Down`.":                                                  "throttling",
		" *   /tmp/script.sh: 4: aws: not found\n *   that is all":                                              "command-not-found",
		"# CartClosedException: The cart is not in an open state":                                               "resource-state",
		"// Resource handler returned message: \"The till is gone\"\n// and nothing else":                       "stack-create-failed",
		"The build says: Package 'cart' has no installation candidate":                                          "os-package-failed",
		"Could not see the till.deps.json; the deployment package should have it not found.":                    "named-but-missing",
		"Command '['ship', '-x']' returned non-zero exit status 3.":                                             "command-failed",
		"The certificate's chain: x509:\ncertificate signed by somebody else":                                   "tls-certificate",
		"Error: Reference to no till\n\n  on till.tf line 3, in locals:\n   3: size = 2":                        "terraform-config-invalid",
		"Error: The till has no coins\n\n  on till.tf line 3, in resource \"a\" \"b\":\n":                       "unknown",
		"Error: till too small\n\n  with x.y,\n  on till.tf line 3, in resource \"x\" \"y\":\n   3:   size = 2": "terraform-config-invalid",
		"Error: filling x (y)\n\n  with x.y,\n  on till.tf line 3, in resource \"x\" \"y\":\n   3:   size = 2":  "unknown",
		"* the parameter does not exist: /shop/till":                                                            "parameter-not-found",
		"* Till number four does not exist: /shop/till":                                                         "unknown",
		"# ERROR: The parameter till is wrong:\n# The till till-1 does not exist":                               "named-but-missing",
		"* npm ERR! code ELIFECYCLE":                                                                            "command-failed",
		"Till Error ------\n\n  The coin is not there, since the till lacks a lid":                              "unknown",
		"Execution failed for task ':till:open'.":                                                               "command-failed",
		"# The cart says\n# An error occurred (ThrottlingException) in the shop: no":                            "throttling",
	} {
		if d := Diagnose(buildlog.ReadText(codebuild.Build{Status: codebuild.Failed}, text)); d.Cause != cause || d.Remedy != Report {
			t.Errorf("%q: %s, %s", text, d.Cause, d.Remedy)
		}
		f := buildlog.ReadText(codebuild.Build{ID: "shop:1", Status: codebuild.Failed}, text)
		if d := Diagnose(f); d.Cause == "throttling" || d.Cause == "resource-state" || d.Remedy != Report {
			t.Errorf("%q in a build's log: %s, %s", text, d.Cause, d.Remedy)
		}
	}
}
