package buildlog

import "testing"

// TestIgnored: a command line says by itself that a refused call is no reason to end.
func TestIgnored(t *testing.T) {
	put := &Denial{Action: "s3:PutObject", Operation: "PutObject", Resource: "arn:aws:s3:::shop-site/report.xml"}
	get := &Denial{Action: "ssm:GetParameter", Operation: "GetParameter"}
	for _, c := range []struct {
		command string
		denial  *Denial
		want    bool
	}{
		{"aws s3 cp report.xml s3://shop-site/report.xml || true", put, true},
		{"aws s3 cp report.xml s3://shop-site/ || :; ./test.sh", put, true},
		{"aws s3 cp report.xml s3://shop-site/ || echo no report", put, true},
		{"aws s3 cp report.xml s3://shop-site/ || { echo no report; true; }", put, true},
		{"set -e\n(aws s3api put-object --bucket shop-site --key report.xml --body r.xml || true)\n./test.sh", put, true},
		{"V=$(aws ssm get-parameter --name /shop/db || true); test -n \"$V\"", get, true},
		{"aws s3 cp report.xml s3://shop-site/report.xml", put, false},
		{"aws s3 cp report.xml s3://shop-site/ || exit 1", put, false},
		{"aws s3 cp report.xml s3://shop-site/ || { echo no report; exit 1; }", put, false},
		{"aws s3 cp report.xml s3://shop-site/ || aws s3 cp report.xml s3://shop-site/", put, false},
		{"aws s3 cp a s3://shop-site/a || true; aws s3 cp report.xml s3://shop-site/report.xml", put, false},
		{"aws s3 cp a s3://shop-site/a; aws s3 cp report.xml s3://shop-site/report.xml || true", put, true},
		{"aws s3 sync out s3://shop-site; aws s3 cp report.xml s3://shop-site/report.xml || true", put, false},
		{"aws ssm get-parameter --name /shop/a || true; aws ssm get-parameter --name /shop/b", get, false},
		{"aws sns publish --topic-arn t --message m || true; ./deploy.sh", put, false},
		{"./deploy.sh || true", put, false},
		{"aws s3 cp report.xml 's3://shop-site/ || true", put, false},
		{"", put, false},
	} {
		if got := Ignored(c.command, c.denial); got != c.want {
			t.Errorf("%s: %v, want %v", c.command, got, c.want)
		}
	}
}
