package redact

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// The samples are nobody's secrets. They are assembled here, so that no file of this repository
// contains text that looks like one.

// random returns n characters out of an alphabet, the same ones each time.
func random(alphabet string, n int) string {
	r := rand.New(rand.NewPCG(uint64(len(alphabet)), uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	hexits = "0123456789abcdef"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	alnum  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	base64 = alnum + "+/"
	urlish = alnum + "-_"
)

// secrets are samples of secrets that are known by their form alone.
func secrets() map[string]string {
	r := random
	return map[string]string{
		"AWS access key id":           "AKI" + "A" + r(upper, 16),
		"AWS temporary key id":        "ASI" + "A" + r(upper, 16),
		"AWS secret key":              r(base64, 40),
		"AWS secret key with slashes": "wJalr" + "/K7MD" + "+bPx" + "/fiCY" + r(alnum, 21),
		"AWS session token":           "IQoJb3Jp" + "Z2lu" + r(base64, 200) + "==",
		"old AWS session token":       "FwoGZX" + "IvYXdz" + r(base64, 100),
		"Bedrock API key":             "ABS" + "K" + r(base64, 110),
		"GitHub token":                "gh" + "p_" + r(alnum, 36),
		"GitHub app token":            "gh" + "s_" + r(alnum, 36),
		"GitHub fine-grained token":   "github" + "_pat_" + r(alnum, 22) + "_" + r(alnum, 59),
		"GitLab token":                "glp" + "at-" + r(urlish, 20),
		"GitLab runner token":         "glr" + "t-" + r(urlish, 20),
		"Slack bot token":             "xox" + "b-" + r("0123456789", 12) + "-" + r(alnum, 24),
		"Slack app token":             "xap" + "p-1-" + r(upper, 11) + "-" + r(hexits, 40),
		"Slack webhook":               "hooks.slack" + ".com/services/" + r(upper, 9) + "/" + r(upper, 11) + "/" + r(alnum, 24),
		"Discord webhook":             "discord" + ".com/api/webhooks/" + r("0123456789", 18) + "/" + r(urlish, 68),
		"Teams webhook":               "contoso.webhook.office" + ".com/webhookb2/" + r(hexits, 32) + "/IncomingWebhook/" + r(hexits, 32),
		"npm token":                   "npm" + "_" + r(alnum, 36),
		"PyPI token":                  "pyp" + "i-AgEIcHlwaS5vcmc" + r(urlish, 80),
		"RubyGems key":                "rubyg" + "ems_" + r(hexits, 48),
		"crates.io token":             "ci" + "o" + r(alnum, 32),
		"NuGet key":                   "oy" + "2" + r("abcdefghijklmnopqrstuvwxyz234567", 43),
		"Docker Hub token":            "dckr" + "_pat_" + r(urlish, 27),
		"Stripe key":                  "sk" + "_live_" + r(alnum, 24),
		"Google API key":              "AIz" + "a" + r(urlish, 35),
		"Google OAuth token":          "ya2" + "9." + r(urlish, 60),
		"OpenAI key":                  "s" + "k-proj-" + r(urlish, 48),
		"Anthropic key":               "s" + "k-ant-api03-" + r(urlish, 90),
		"SendGrid key":                "S" + "G." + r(urlish, 22) + "." + r(urlish, 43),
		"Vault token":                 "hv" + "s." + r(urlish, 90),
		"Terraform Cloud token":       r(alnum, 14) + ".atlas" + "v1." + r(urlish, 60),
		"Atlassian token":             "ATA" + "TT3" + r(urlish, 180),
		"DigitalOcean token":          "do" + "p_v1_" + r(hexits, 64),
		"Databricks token":            "da" + "pi" + r(hexits, 32),
		"Doppler token":               "dp" + ".pt." + r(alnum, 43),
		"Shopify token":               "shp" + "at_" + r(hexits, 32),
		"New Relic key":               "NRA" + "K-" + r(upper, 27),
		"Sentry token":                "sntr" + "ys_" + r(base64, 60),
		"Pulumi token":                "pu" + "l-" + r(hexits, 40),
		"Telegram bot token":          r("0123456789", 10) + ":A" + "A" + r(urlish, 33),
		"SonarQube project token":     "sq" + "p_" + r(hexits, 40),
		"SonarQube user token":        "sq" + "u_" + r(hexits, 40),
		"SonarQube global token":      "sq" + "a_" + r(hexits, 40),
		"JFrog API key":               "AK" + "Cp" + r(alnum, 69),
		"JFrog reference token":       "cmVm" + "dGtu" + r(alnum, 56),
		"Grafana service token":       "gls" + "a_" + r(alnum, 32) + "_" + r(hexits, 8),
		"Grafana cloud token":         "gl" + "c_" + r(base64, 60),
		"Hugging Face token":          "h" + "f_" + r("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 34),
		"Postman key":                 "PMA" + "K-" + r(hexits, 24) + "-" + r(hexits, 34),
		"Dynatrace token":             "dt0" + "c01." + r(upper, 24) + "." + r(upper, 64),
		"Supabase token":              "sb" + "p_" + r(hexits, 40),
		"PlanetScale token":           "pscale" + "_tkn_" + r(urlish, 43),
		"Clojars token":               "CLOJ" + "ARS_" + r("abcdefghijklmnopqrstuvwxyz0123456789", 60),
		"age key":                     "AGE-SECRET" + "-KEY-1" + r(upper, 58),
		"JSON web token":              "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxIn0." + r(urlish, 43),
		"JSON web token, cut":         "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxIn0",
		"registry login":              "ey" + "JwYXlsb2FkIjoi" + r(base64, 300) + "==",
		"long base64":                 r(base64, 500),
		"base64url":                   r(urlish, 64),
	}
}

func TestTextKnownForms(t *testing.T) {
	frames := []string{"%", "got % here", "X=%", "'%'", "\"%\",", "(%)", "https://api.example.com/?q=%",
		"{\"a\":\"%\"}", "%\n%", "--set a.b=%", "│ % │", "Bearer %", "path/%.", "%,%"}
	for name, secret := range secrets() {
		for _, f := range frames {
			in := strings.ReplaceAll(f, "%", secret)
			got := Text(in)
			survives(t, name, in, got, secret)
			if again := Text(got); again != got {
				t.Errorf("%s: Text is not stable: %q, then %q", name, got, again)
			}
		}
	}
}

// survives reports parts of a secret that got still contains.
func survives(t *testing.T, name, in, got, secret string) {
	t.Helper()
	const part = 12
	for i := 0; i+part <= len(secret); i++ {
		if p := secret[i : i+part]; strings.Contains(got, p) && !strings.Contains("hooks.slack.com/services/discord.com/api/webhooks/", p) {
			t.Errorf("%s: Text(%q) = %q leaves %q", name, in, got, p)
			return
		}
	}
}

func TestTextByName(t *testing.T) {
	const v = "hun" + "ter2-Tr0ub4dor"
	rows := []string{
		"password=%", "PASSWORD = %", "DB_PASSWORD=%", "db.password: %", "passwd:%", "passphrase=%", "\"password\": \"%\"",
		"'password': '%'", `{\"password\":\"%\"}`, "password => %", "password := %",
		"MYSQL_PWD=%", "export NPM_TOKEN=%", "//registry.example.com/:_authToken=%", "_auth=%", "_password = \"%\"",
		"token=%", "access_token: %", "AWS_SECRET_ACCESS_KEY=%", "aws_session_token = %",
		"secretAccessKey: '%'", "\"SecretAccessKey\": \"%\"", "SessionToken=%", "client_secret=%", "CLIENT-SECRET: %",
		"api_key=%", "apiKey: \"%\"", "X-Api-Key: %", "private_key=%", "AccountKey=%;EndpointSuffix=core.windows.net",
		"connection_string=%", "signing_key=%", "SIGNATURE=%", "credential=%", "password==%",
		"--password %", "--password=%", "--token '%'", "--api-key \"%\"", "--auth-token %", "--secret-string %",
		"-token %", "docker login -u AWS -p % registry", "docker login --username x --password % y", "mysql -u root -p% db",
		"mysqldump -proot -p% db", "curl -u user:% https://x", "curl --user \"user:%\" https://x",
		"curl -s -uuser:% https://x", "export DB_PASS=%", "db_pw: %", "--db-pass %",
		"machine github.com login bot password %", "echo % | docker login --username AWS --password-stdin x",
		"echo -n '%' | docker login --password-stdin",
		"Authorization: Bearer %", "authorization: Basic %", "Authorization: token %",
		"curl -H \"Authorization: Bearer %\" https://x", "Proxy-Authorization: %", "Cookie: a=b; session=%",
		"Set-Cookie: sid=%; Path=/", "PRIVATE-TOKEN: %", "Bearer %",
		"https://user:%@host/path", "https://%@github.com/o/r.git", "postgres://u:%@db:5432/x", "redis://:%@cache:6379",
		"https://user:%/x@host", "amqp://u:%@q/v", "git clone https://oauth2:%@gitlab.com/o/r",
		"https://b.s3.amazonaws.com/k?X-Amz-Signature=%&x=1", "https://x/?sig=%", "https://x/?a=1&key=%#f", "https://x/?X-Amz-Credential=%",
		"<password>%</password>", "<ClientSecret>%</ClientSecret>", "VAULT_TOKEN: %", "GH_TOKEN=\"%\"",
		"password: \"a\\\"%\"", "TF_VAR_db_password=%", "spring.datasource.password=%", "set PASSWORD=%",
		"--build-arg NPM_TOKEN=%", "-e SECRET=%", "-Dpassword=%",
		"mvn sonar:sonar -Dsonar.login=%", "-Dsonar.token=%", "-Dsonar.password=%", "sonar.login=%", "-Dmaven.repo.login='%'",
		"-Dhttp.proxyPassword=%", "-Dgpg.passphrase=%", "gradle -PossrhPassword=% publish", "-Psigning.password=%",
		"sshpass -p % ssh host", "sshpass -p% ssh host", "sshpass -v -p '%' scp a b", "redis-cli -h db -a % ping",
		"zip -P % a.zip b", "unzip -o -P % a.zip", "sqlcmd -S db -U sa -P % -Q x", "mongodump --host db -u a -p % x",
		"ldapsearch -x -D cn=a -w % x", "openssl pkcs12 -passin pass:% -in x", "-passout pass:%",
		"keytool -storepass % -keypass x", "-destkeypass %",
		"password＝%", "TOKEN ＝ %", "密码 password：%",
		"the password is %", "Your new password is: %", "The password for admin is %.", "token was set to '%'",
		"Das Passwort ist %", "the token is now %", "admin password was changed to %", "api key is \"%\"",
	}
	for _, row := range rows {
		in := strings.ReplaceAll(row, "%", v)
		got := Text(in)
		if strings.Contains(got, v) || strings.Contains(got, "Tr0ub4dor") {
			t.Errorf("Text(%q) = %q", in, got)
		}
		if !strings.Contains(got, Mark) {
			t.Errorf("Text(%q) = %q does not say that something was here", in, got)
		}
		if again := Text(got); again != got {
			t.Errorf("Text is not stable: %q, then %q", got, again)
		}
	}
}

// TestTextErrorsBesideSecrets joins secrets with what programs say about them, in both orders. The
// secret never stays, whatever stands beside it: an error is known by its own first words only.
func TestTextErrorsBesideSecrets(t *testing.T) {
	said := []string{"command not found", "not found", "authentication failed", "must not be empty", "is required",
		"permission denied", "bad decrypt", "line 4: PWD: command not found", "unbound variable", "cannot be blank",
		"invalid password", "too short", "No such file or directory", "1: not found"}
	names := []string{"PWD", "pwd", "password", "Password", "passphrase", "db_password", "MYSQL_PWD", "passwd", "my.password"}
	for _, name := range names {
		for _, say := range said {
			for _, v := range []string{"hun" + "ter2-Tr0ub4dor", "S3cret!x", "correct-horse-battery", "AKI" + "A" + random(upper, 16),
				random(base64, 40)} {
				for _, in := range []string{
					name + ": " + v + " " + say, name + ": " + v + ": " + say, name + "=" + v + " " + say,
					name + ": \"" + v + "\" " + say, say + ": " + name + ": " + v, name + ": " + say + "\n" + name + ": " + v,
					say + " " + name + "=" + v, name + ": " + v + "\n" + name + ": " + say,
				} {
					if got := Text(in); strings.Contains(got, v) {
						t.Fatalf("Text(%q) = %q", in, got)
					}
				}
			}
		}
		// A password of plain words, as people choose them, is not taken for a message.
		for _, v := range []string{"invalid", "missing", "required", "cannot", "must", "not", "is", "bad", "error", "command", "no",
			"unknownhorse", "hunter", "notfound", "incorrect"} {
			for _, in := range []string{name + ": " + v, name + ": " + v + " horse", name + "=" + v + " not found",
				name + ": \"" + v + "\""} {
				if got := Text(in); !strings.Contains(got, Mark) {
					t.Errorf("Text(%q) = %q", in, got)
				}
			}
		}
	}
}

func TestTextPrivateKeys(t *testing.T) {
	body := random(base64, 64) + "\n" + random(base64, 64) + "\n" + random(base64, 13) + "=="
	for _, kind := range []string{"RSA ", "", "EC ", "OPENSSH ", "ENCRYPTED "} {
		block := "-----BEGIN " + kind + "PRIVATE " + "KEY-----\n" + body + "\n-----END " + kind + "PRIVATE " + "KEY-----"
		for name, in := range map[string]string{
			"whole":               "before\n" + block + "\nafter",
			"cut at the end":      "before\n" + block[:len(block)-60],
			"cut at the start":    block[40:] + "\nafter",
			"escaped":             `"key": "` + strings.ReplaceAll(block, "\n", `\n`) + `"`,
			"indented":            strings.ReplaceAll(block, "\n", "\n    "),
			"Windows line ends":   strings.ReplaceAll(block, "\n", "\r\n"),
			"two blocks":          block + "\n" + block,
			"last line by itself": strings.Join(strings.Split(block, "\n")[3:], "\n"),
		} {
			got := Text(in)
			for _, l := range strings.Split(body, "\n") {
				if strings.Contains(got, l[:10]) {
					t.Errorf("%s%s: %q is left in %q", kind, name, l, got)
				}
			}
			if a, b := strings.Count(in, "\n"), strings.Count(got, "\n"); a != b {
				t.Errorf("%s%s: %d lines became %d", kind, name, a, b)
			}
			if strings.Contains(in, "after") && !strings.Contains(got, "after") {
				t.Errorf("%s%s: what follows is gone: %q", kind, name, got)
			}
		}
	}
}

// TestTextKeeps lists what people need to read.
func TestTextKeeps(t *testing.T) {
	digest := random(hexits, 64)
	for _, s := range []string{
		"arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-AbCdEf",
		"arn:aws:iam::111122223333:role/service-role/codebuild-TrackerAPI-service-role",
		"arn:aws:sts::111122223333:assumed-role/codebuild-x/AWSCodeBuild-1b7e6a52-3c4d-4e5f-8a9b-0c1d2e3f4a5b",
		"arn:aws:cloudformation:us-west-2:111122223333:stack/TrackerStackServiceRoleDefaultPolicy8F3E2D1C/" +
			"5b6c7d80-1122-11ee-be56-0242ac120002",
		"arn:aws:iam::111122223333:role/ecs-task-execution-role-production", "repository/risk-assessment-service-backend",
		"function:disk-usage-monitoring-and-alerts",
		"arn:aws:s3:::shop/pypi-mirror-of-all-the-packages-we-use",
		"arn:aws:ssm:us-west-2:111122223333:parameter/shop/api-key:3",
		"arn:aws:ecr:us-west-2:111122223333:repository/task-runner-service-v2-prod",
		"arn:aws:organizations::444455556666:policy/o-exampleorg1/service_control_policy/p-example1",
		"arn:aws:ecs:us-west-2:111122223333:task/Prod-Cluster/1dc5c17a42144c8ab2a51dc5c17a4214",
		"arn:aws-cn:kms:cn-north-1:111122223333:key/1b7e6a52-3c4d-4e5f-8a9b-0c1d2e3f4a5b",
		"User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: secretsmanager:GetSecretValue on " +
			"resource: arn:aws:secretsmanager:us-west-2:111122223333:secret:a",
		"is not authorized to perform: sts:GetSessionToken", "secretsmanager:GetSecretValue",
		"codeartifact:GetAuthorizationToken: AccessDeniedException", "ssm:GetParameters",
		"An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: User: arn:aws:sts::1:x",
		"sha256:" + digest, "111122223333.dkr.ecr.us-west-2.amazonaws.com/tracker_api@sha256:" + digest,
		"commit " + random(hexits, 40), "HEAD is now at " + random(hexits, 12) + " fix", digest,
		"integrity sha512-" + random(base64, 86) + "==", "github.com/a/b v1.2.3 h1:" + random(base64, 43) + "=",
		"request id: 1b7e6a52-3c4d-4e5f-8a9b-0c1d2e3f4a5b", "TrackerStackServiceRoleDefaultPolicyAB12CD34",
		"buildmedic-TrackerStack-ServiceRoleDefaultPolicy8F3E2D1C-prod-2026",
		"aws ecr get-login-password --region us-west-2 | docker login --username AWS --password-stdin " +
			"111122223333.dkr.ecr.us-west-2.amazonaws.com",
		"echo $TOKEN | docker login --password-stdin x", "echo \"$DOCKER_PASSWORD\" | docker login -u x --password-stdin",
		"aws secretsmanager get-secret-value --secret-id prod/db", "token=$GITHUB_TOKEN", "PASSWORD=${DB_PASSWORD}",
		"PWD=/codebuild/output/src1/src", "OLDPWD=/root", "max_tokens=4096", "token: expired",
		"Error: invalid token: unexpected", "secret: not found", "--token-file /run/token", "password=***",
		"password: ********", "TOKEN=[redacted]",
		"/usr/local/lib/node_modules/typescript/lib/TypeScriptLanguageServicePlugin/index.js",
		"src/main/java/com/example/app/service/TrackerServiceImplementationTest2.java",
		"shouldReturn404WhenUserIdIsMissingFromRequest2AndHeaderIsSet",
		"COMMAND_EXECUTION_ERROR: Error while executing command: npm test. Reason: exit status 1",
		"https://git-codecommit.us-west-2.amazonaws.com/v1/repos/x", "https://registry.example.com:443/@scope/pkg",
		"git@github.com:o/r.git", "ssh://git@github.com/o/r.git",
		"https://docs.aws.amazon.com/codebuild/latest/userguide/troubleshooting.html#troubleshooting-cannot-access",
		"Basic authentication failed", "Bearer authentication is required", "kubectl get secret", "TOKEN_URL is not set",
		"secret_name: prod/db", "token_ttl=3600", "signature_version: s3v4", "credentials: none",
		"Unable to locate credentials. You can configure credentials by running",
		"v0.0.0-20261122123456-abcdef123456", "x86_64-unknown-linux-gnu", "AROAEXAMPLEID1234567:AWSCodeBuild",
		"ThisIsOneVeryLongCamelCaseIdentifierWithManyWordsInIt",
		"docker login registry -u AWS", "npm ERR! code E401",
		"npm ERR!     /root/.npm/_logs/2026-11-22T10_11_12_345Z-debug-0.log",
		"npm error A complete log of this run can be found in: /codebuild/user/.npm/_logs/2026-11-22T10_11_12_345Z-debug-0.log",
		"The password is wrong", "the password is incorrect.", "Password is required", "the token is expired",
		// What programs say about a password, or about a command or variable of such a name.
		"PWD: command not found", "sh: 1: PWD: not found", "script.sh: line 4: PWD: command not found",
		"pwd: error retrieving current directory: getcwd: cannot access parent directories: No such file or directory",
		"pwd: ignoring non-option arguments", "pwd: invalid option -- 'x'", "pwd: too many arguments",
		"password: authentication failed for user", "psql: error: password: password authentication failed",
		"passphrase: bad decrypt", "Enter passphrase: No such device or address", "gpg: passphrase: Inappropriate ioctl for device",
		"Error: password: cannot be blank", "db_password: must not be empty", "passwd: must be at least 8 characters",
		"DB_PASSWORD: unbound variable", "script.sh: line 3: DB_PASSWORD: parameter null or not set",
		"MYSQL_PWD: read-only variable", "password: is required", "password: invalid value", "passphrase: too short",
		"the security token included in the request is invalid", "secret was not found", "token is not valid",
		"the access key is missing", "Your password is $DB_PASSWORD", "password was set to ${P}", "password is 3",
		"-Dsonar.projectKey=shop", "-Dsonar.login=$SONAR_TOKEN", "-DskipTests", "mvn -Dmaven.test.failure.ignore=true",
		"-Dspring.profiles.active=prod", "sshpass -p $P ssh host", "unzip -o x.zip -d y", "zip -r -9 x.zip dist",
		"redis-cli -h db ping", "openssl x509 -passin env:P", "sqp_short", "hf_hub_download", "glc_name",
		"squ_" + random(alnum, 8), "v1.2.3-beta.4+build.5", "com.example:lib:1.2.3", "sha256-" + random(base64, 43) + "=",
		"user-agent: aws-sdk-go-v2/1.47.7 os/linux lang/go#1.26.8 md/GOOS#linux md/GOARCH#amd64",
	} {
		if got := Text(s); got != s {
			t.Errorf("Text changed it:\n%s\n%s", s, got)
		}
	}
}

func TestTextNextToAnother(t *testing.T) {
	key := "AKI" + "A" + random(upper, 16)
	for in, want := range map[string]string{
		"password" + "=" + key + "rest": "password=[redacted]",
		"a" + key + " b" + key:          "a[redacted] b[redacted]",
		"token: \"" + key + "\", x":     "token: \"[redacted]\", x",
	} {
		if got := Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestTextByLine ensures that text of many lines reads as each of its lines does: but for private
// keys, no secret spans two.
func TestTextByLine(t *testing.T) {
	var in, want []string
	for _, s := range secrets() {
		for _, line := range []string{
			"password: " + s, "--token " + s, "--token", s, "<secretKey>", "Authorization:", "x?sig=" + s, "an İ,  \r",
		} {
			in, want = append(in, line), append(want, Text(line))
		}
	}
	if d := cmp.Diff(strings.Join(want, "\n"), Text(strings.Join(in, "\n"))); d != "" {
		t.Errorf("(-line by line +together)\n%s", d)
	}
}

// BenchmarkText redacts what a notice quotes: few of its lines can have a secret.
func BenchmarkText(b *testing.B) {
	s := strings.Repeat("[Container] 2026/11/20 10:00:12.636 Phase complete: BUILD State: FAILED arn:aws:s3:::dist/x\n", 60) + "token: x\n"
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		Text(s)
	}
}

// TestTextIsLinear measures nothing: on text made to be slow, anything worse than linear would not
// finish within the test's time.
func TestTextIsLinear(t *testing.T) {
	for _, s := range []string{"a", "password", "password ", "token: ", "-----BEGIN PRIVATE " + "KEY-----\n", "aB1/",
		"eyJ.", "https://a:", "login -p ", "=", "\\\"", "\"", "arn:aws:", "[redacted]", "echo a | "} {
		in := strings.Repeat(s, 1<<14/len(s))
		if got := Text(in); utf8.ValidString(in) != utf8.ValidString(got) {
			t.Errorf("%q: not UTF-8 any more", s)
		}
	}
}

func FuzzText(f *testing.F) {
	for _, s := range secrets() {
		f.Add("password: " + s + " x=\"" + s + "\"")
	}
	for _, s := range []string{"", "a:b://c:d@e@f", "token=token=token=", "--password --token x", "secret=[redacted]x",
		"\"password\":\"\\\"", "-----END PRIVATE " + "KEY-----", "Authorization: \nCookie:",
		"<password>x<password>y", "https://:@:@", "login -p -p x", "bearer bearer bearer12345",
		"a=[redacted] [redacted]@x://[redacted]@y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Text(s)
		if again := Text(got); again != got {
			t.Errorf("Text(%q) = %q, and again: %q", s, got, again)
		}
		if strings.Count(s, "\n") != strings.Count(got, "\n") {
			t.Errorf("Text(%q) = %q has other lines", s, got)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("Text(%q) = %q is not UTF-8", s, got)
		}
		key := "AKI" + "A" + "ABCDEFGHIJ234567"
		if with := Text(s + " " + key + " " + s); strings.Contains(with, key) {
			t.Errorf("the key is left in %q", with)
		}
	})
}

// TestKnownTokensCompile compiles the expressions that are assembled at run time.
func TestKnownTokensCompile(t *testing.T) {
	for _, k := range knownTokens() {
		if k.re.Get().MatchString(k.needs) {
			t.Errorf("%q alone is taken for a secret", k.needs)
		}
	}
}
