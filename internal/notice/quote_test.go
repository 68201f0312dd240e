package notice

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestQuote(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{"plain", "npm ERR! code E404", "npm ERR! code E404"},
		{"empty", "", ""},
		{"white space", "  a\t b \r\n c\u00a0d\u2028e ", "a b c d e"},
		{"colours", "\x1b[31;1mred\x1b[0m \x1b]0;title\x07x \x1bMy", "red x y"},
		{"lone escape", "a\x1bb\x00c\x7fd\u0085e", "abcd e"},
		{"bidirectional", "user\u202egnp.exe\u202c \u2066x\u2069 \u200fy \u061cz", "usergnp.exe x y z"},
		{"invisible", "a\u200bb\u200dc\ufeffd\u00ade\u034ff\u2060g\u180eh\ufe0fi\U000e0041j\u3164k\u115fl\u2800m",
			"abcdefghijklm"},
		{"private use, surrogates, noncharacters", "a\ue000b\uffffc\U0010ffffd", "abcd"},
		{"not UTF-8", "a\xff\xfeb", "a?b"},
		{"other languages stay", "Größe 大小 размер ✓", "Größe 大小 размер ✓"},
		{"combining marks stay", "e\u0301", "e\u0301"},
		{"link", "see https://evil.example/x and HTTP://EVIL.example",
			"see hxxps://evil.example/x and hxxp://EVIL.example"},
		{"link split by an invisible character", "ht\u200btps://evil.example", "hxxps://evil.example"},
		{"other schemes", "ftp://a slack://b ssh://c file:///d", "ftp[:]//a slack[:]//b ssh[:]//c file[:]///d"},
		{"S3 locations stay", "upload: s3://bucket/key", "upload: s3://bucket/key"},
		{"calls", "mailto:a@b javascript:alert(1) tel:+1 data:text/html",
			"mailto[:]a@b javascript[:]alert(1) tel[:]+1 data[:]text/html"},
		{"data: in a sentence stays", "data: nothing", "data: nothing"},
		{"www", "www.evil.example WWW.x", "www[.]evil.example WWW[.]x"},
		{"bare hosts", "visit evil.com/login or Login.Evil.IO now, a@evil.org",
			"visit evil[.]com/login or Login.Evil[.]IO now, a@evil[.]org"},
		{"hosts of any domain", "evil.be Evil.ICU/x, evil.museum. (evil.xn--p1ai) a@evil.ch evil.it:8080",
			"evil[.]be Evil[.]ICU/x, evil[.]museum. (evil[.]xn--p1ai) a@evil[.]ch evil[.]it:8080"},
		{"hosts that a dash or a dot follows", "evil.pw-x evil.be.", "evil[.]pw-x evil[.]be."},
		{"addresses with a domain that files end in", "evil.zip/login a@evil.sh evil.mov/ evil.be-x.txt",
			"evil[.]zip/login a@evil[.]sh evil[.]mov/ evil[.]be-x.txt"},
		{"file names stay",
			"main.py deploy.sh package.json app.rs main.go buildspec.yml main.tf README.md app.zip dist/app.zip " +
				"./a.sh, src/main.rs/x index.js.map Main.java log4j.properties libx.so.1 a.tar.gz go.mod " +
				"go.sum x.txt .zip",
			"main.py deploy.sh package.json app.rs main.go buildspec.yml main.tf README.md app.zip dist/app.zip " +
				"./a.sh, src/main.rs/x index.js.map Main.java log4j.properties libx.so.1 a.tar.gz go.mod " +
				"go.sum x.txt .zip"},
		{"names in code stay",
			"java.lang.NullPointerException botocore.exceptions.ClientError module.vpc.aws_subnet.this[0] " +
				"org.apache.tools.ant.BuildException v1.2.3 1.25.0 $.Statement.Action",
			"java.lang.NullPointerException botocore.exceptions.ClientError module.vpc.aws_subnet.this[0] " +
				"org.apache.tools.ant.BuildException v1.2.3 1.25.0 $.Statement.Action"},
		{"actions and ARNs stay",
			"ecr:PutImage s3:* arn:aws:ecr:us-west-2:111122223333:repository/a.b/c arn:aws:s3:::shop-dist/app.zip " +
				"arn:aws:iam::111122223333:role/r",
			"ecr:PutImage s3:* arn:aws:ecr:us-west-2:111122223333:repository/a.b/c arn:aws:s3:::shop-dist/app.zip " +
				"arn:aws:iam::111122223333:role/r"},
		{"sentences stay", "It failed. See e.g. the log... or not.", "It failed. See e.g. the log... or not."},
		{"registry stays", "push 111122223333.dkr.ecr.us-west-2.amazonaws.com/tracker_api:1",
			"push 111122223333.dkr.ecr.us-west-2.amazonaws.com/tracker_api:1"},
		{"AWS's public registry stays", "public.ecr.aws/docker/library/golang:1",
			"public.ecr.aws/docker/library/golang:1"},
		{"service principal stays", "codebuild.amazonaws.com", "codebuild.amazonaws.com"},
		{"bucket website does not", "evil.s3.amazonaws.com/login s3.amazonaws.com/evil",
			"evil.s3.amazonaws[.]com/login s3.amazonaws[.]com/evil"},
		{"China's hosts", "x.amazonaws.com.cn", "x.amazonaws[.]com[.]cn"},
		{"ARN stays", "arn:aws:s3:::web-assets/app/*", "arn:aws:s3:::web-assets/app/*"},
		{"secret, hidden by an invisible character", "pass\u200bword" + "=" + "hunter2", "password=[redacted]"},
	} {
		if got := Quote(row.in); got != row.want {
			t.Errorf("%s: Quote(%q)\n got %q\nwant %q", row.name, row.in, got, row.want)
		}
	}
}

// TestDomains ensures that the list can be searched, and that inside and endings are of it.
func TestDomains(t *testing.T) {
	if ds := topLevel(); len(ds) < 1400 || !slices.IsSorted(ds) || len(slices.Compact(slices.Clone(ds))) != len(ds) ||
		strings.ToLower(domainNames) != domainNames {
		t.Errorf("%d domains, sorted %v", len(ds), slices.IsSorted(ds))
	}
	for _, set := range []map[string]bool{inside, endings} {
		for l := range set {
			if !domain(l) {
				t.Errorf("%q is no domain", l)
			}
		}
	}
	for _, l := range []string{"", "example", "go", "yml", "json", "js", "ts", "local", "internal"} {
		if domain(l) {
			t.Errorf("%q is a domain", l)
		}
	}
}

func TestQuoteIsBounded(t *testing.T) {
	long := strings.Repeat("é ", 5000)
	got := Quote(long)
	if len(got) > maxQuote+60 || !utf8.ValidString(got) || !strings.HasSuffix(got, "… (9,199 more characters)") {
		t.Errorf("got %d bytes, ending %q", len(got), got[len(got)-40:])
	}
	if n := utf8.RuneCountInString(strings.TrimSuffix(got, " … (9,199 more characters)")); n+9199+1+1 != 10000 {
		// one blank at the cut, one at the end
		t.Errorf("%d characters are left, and 9199 are said to be cut of 10000", n)
	}
}

func TestProse(t *testing.T) {
	in := "See https://docs.aws.amazon.com/x/y.html, not https://docs.aws.amazon.com.evil.example/ or " +
		"https://evil.example/https://docs.aws.amazon.com/."
	want := "See https://docs.aws.amazon.com/x/y.html, not hxxps://docs.aws.amazon[.]com.evil.example/ or " +
		"hxxps://evil.example/https://docs.aws.amazon.com/."
	if got := prose(in); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestQuoteBlock(t *testing.T) {
	in := "grants:\n  - id: a\u202e\n    resources: [\"arn:${partition}:s3:::b/*\"]\r\n    pass_roles:\n" +
		"      ecs-tasks.amazonaws.com: []\n    because: https://evil.example\n"
	want := "grants:\n  - id: a\n    resources: [\"arn:${partition}:s3:::b/*\"]\n    pass_roles:\n" +
		"      ecs-tasks.amazonaws.com: []\n    because: hxxps://evil.example"
	if got := quoteBlock(in, maxEntry); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// hiddenFrom finds invisible characters, by another definition than visible's.
func hiddenFrom(s string, newline bool) (rune, bool) {
	for _, r := range s {
		switch {
		case newline && r == '\n':
		case unicode.Is(unicode.C, r), unicode.Is(unicode.Bidi_Control, r), unicode.Is(unicode.Join_Control, r),
			unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r),
			r >= 0xfe00 && r <= 0xfe0f, r >= 0xe0000 && r <= 0xe0fff, r == 0x3164, r == 0x2800, r == utf8.RuneError:
			return r, true
		}
	}
	return 0, false
}

var linkable = regexp.MustCompile(
	`(?i)\b(?:https?|ftp|ssh|slack)://|\bwww\.|\b(?:mailto|javascript|tel):\S|\bevil\.(?:com|be|icu|museum)\b`,
)

func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "https://evil.com", "a\u202eb", "\x1b[31mwww.evil.com", "mailto:x", "wwwwww..x",
		"hhttps://ttps://", "ht\u200btp://x", "mail\u00adto:x", "\x1b]0;https://x", "a\xffb",
		"password=x https://u:p@evil.com", "evil.com.evil.com/x", "www\u200b.evil.com", "a@evil.be", "evil.museum/x",
		"evil.icu.", "evil.be-evil.be", "https\u202e://"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, got := range map[string]string{
			"Quote":      Quote(s),
			"id":         id(s),
			"quoteBlock": quoteBlock(s, maxEntry),
			"prose":      prose(s),
		} {
			if r, ok := hiddenFrom(got, name == "quoteBlock"); ok {
				t.Errorf("%s(%q) = %q has %U", name, s, got, r)
			}
			if !utf8.ValidString(got) || len(got) > maxEntry+60 {
				t.Errorf("%s(%q): %d bytes", name, s, len(got))
			}
		}
		if got := Quote(s); linkable.MatchString(got) {
			t.Errorf("Quote(%q) = %q could be a link", s, got)
		}
		if strings.Contains(Quote(s), "\n") {
			t.Errorf("Quote(%q) has several lines", s)
		}
	})
}
