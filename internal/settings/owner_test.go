package settings

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOwners ensures that the owners are read with where each is told, and prices with them.
func TestOwners(t *testing.T) {
	s, err := Parse([]byte(`version: 1
notify:
  scope: unowned
  price_per_minute: 0.005 USD
  owners:
    - {name: web, email: [web@example.com, oncall@example.com]}
    - {name: "Team Data ", topic: "arn:aws:sns:eu-west-1:444455556666:ci", key: "arn:aws:kms:eu-west-1:444455556666:key/1-2"}
    - {name: ops, email: [ops@example.com], chat: {slack: {workspace: T0123456789, channel: C0123456789}}}
    - {name: nobody}
projects:
  - {name: shop, role: r, owner: web}
  - {name: site, role: r, owner: nobody, price_per_minute: "1 USD"}
`))
	if err != nil {
		t.Fatal(err)
	}
	n := s.Notify
	if diff := cmp.Diff([]Owner{
		{Name: "web", Email: []string{"web@example.com", "oncall@example.com"}, Line: 6},
		{Name: "Team Data", Topic: "arn:aws:sns:eu-west-1:444455556666:ci", Key: "arn:aws:kms:eu-west-1:444455556666:key/1-2", Line: 7},
		{Name: "ops", Email: []string{"ops@example.com"}, Chat: &Chat{Slack: &SlackChannel{"T0123456789", "C0123456789"}}, Line: 8},
		{Name: "nobody", Line: 9},
	}, n.Owners); diff != "" || !n.Unowned {
		t.Errorf("unowned %v; -want +got:\n%s", n.Unowned, diff)
	}
	topics := []string{n.Owners[0].TopicName(), n.Owners[1].TopicName(), n.Owners[2].TopicName()}
	odd := Owner{Name: "Team Ops"}.TopicName()
	if topics[0] != "buildmedic-owner-web" || topics[1] != "" || topics[2] != "buildmedic-owner-ops" || !topicName.MatchString(odd) ||
		odd == (Owner{Name: "Team-Ops"}).TopicName() || odd == (Owner{Name: "Team  Ops"}).TopicName() {
		t.Errorf("topics: %q", topics)
	}
	for owner, want := range map[string]string{"": "", "web": "web", "Team Data": n.Owners[1].Topic} {
		if got := n.Pace(owner); got != want {
			t.Errorf("%q has the pace of %q, not %q", owner, got, want)
		}
	}
	if _, ok := n.Owner("nobody"); ok {
		t.Error("an owner who is told nowhere is told")
	}
	for i, want := range []Price{{5000, "USD"}, {1_000_000, "USD"}} {
		if got, ok := s.PriceOf(s.Projects[i]); !ok || got != want {
			t.Errorf("price of %s: %v, %v; want %v", s.Projects[i].Name, got, ok, want)
		}
	}
}

// TestUnheard ensures that an owner whom nobody tells, an entry that nobody uses and a project of
// which nobody is told are warned of.
func TestUnheard(t *testing.T) {
	warn := func(yaml string) (list []string) {
		s, err := Parse([]byte("version: 1\n" + yaml))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range unheard(s) {
			list = append(list, p.Path+": "+p.Message)
		}
		return list
	}
	const grant = `grants:
  - {id: g, because: b, owner: datta, set: ecr-pull, resources: ["arn:aws:ecr:eu-west-1:111122223333:repository/x"]}
`
	got := strings.Join(warn(`notify:
  owners:
    - {name: data, email: [data@example.com]}
    - {name: web, email: [web@example.com]}
    - {name: none}
projects:
  - {name: shop, role: r, owner: web}
  - {name: site, role: r, owner: none}
`+grant), "\n")
	want := `grants[0].owner: grant g has owner "datta", whom nobody tells: notify.owners has no such name; did you mean "data"?
notify.owners[0]: no project and no grant has owner "data", so nothing is told there; name it under a project's owner, or remove it
notify.owners[2]: owner "none" has no email, chat or topic, so nobody is told
notify: nobody is told of project site: it has no owner who is told, and there is no address under email and no channel under chat`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := warn("notify: {email: [a@example.com]}\nprojects: [{name: shop, role: r, owner: web}]\n" + grant); got != nil {
		t.Errorf("without owners, whoever is named is told by notify: %q", got)
	}
}

// TestPartitions ensures that a topic out of the hub's reach is a problem where the hub's partition or
// region is known.
func TestPartitions(t *testing.T) {
	s, err := Parse([]byte("version: 1\nnotify: {owners: [{name: web, topic: \"arn:aws:sns:eu-west-1:444455556666:ci\"}]}\n" +
		"projects: [{name: shop, role: r, owner: web}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		region, partition string
		want              int
	}{{"", "", 0}, {"us-east-1", "", 0}, {"", "aws", 0}, {"cn-north-1", "", 1}, {"", "aws-us-gov", 1}} {
		got := RunTests(s, Account{Region: row.region}, row.partition)
		if len(got) != row.want || len(got) > 0 && got[0].Path != "notify.owners[0].topic" {
			t.Errorf("from %v: %v", row, got)
		}
	}
}
