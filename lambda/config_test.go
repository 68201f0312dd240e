package main

import (
	"io/fs"
	"strings"
	"testing"
)

// TestReadConfig ensures that the environment is read whole, and that all
// that is wrong with it is said at once.
func TestReadConfig(t *testing.T) {
	good := map[string]string{
		envSettings: "buildmedic.yaml",
		envTable:    "buildmedic",
		envTopic:    "arn:aws:sns:eu-west-1:111122223333:buildmedic",
		envQueue:    "https://sqs.eu-west-1.amazonaws.com/111122223333/buildmedic",
		envFunction: "buildmedic",
		envRegion:   "eu-west-1",
	}
	files := map[string]string{"buildmedic.yaml": "version: 1\n", "/opt/task/buildmedic.yaml": "version: 1\n",
		"bad.yaml": "version: 1\nprojcts: []\nprojects: 3\n"}
	for _, row := range []struct {
		name string
		set  map[string]string
		want []string // of the error; none: it is read
	}{
		{"complete", nil, nil},
		{"in memory", map[string]string{envTable: "", envLedger: "memory"}, nil},
		{"with member accounts", map[string]string{envMemberRole: "buildmedic-member"}, nil},
		{"nothing", map[string]string{envSettings: "", envTable: "", envTopic: "", envQueue: "", envFunction: "", envRegion: ""},
			[]string{envSettings + " is not set", envTable + " is not set", envTopic + " is not set",
				envQueue + " is not set", envFunction + " is not set", envRegion + " is not set"}},
		{"blank", map[string]string{envTopic: "  "}, []string{envTopic + " is not set"}},
		{"two ledgers", map[string]string{envLedger: "memory"}, []string{"both BUILDMEDIC_TABLE and BUILDMEDIC_LEDGER are set"}},
		{"unknown ledger", map[string]string{envTable: "", envLedger: "redis"}, []string{`is "redis"; only "memory" is known`}},
		{"a queue for a topic", map[string]string{envTopic: "arn:aws:sqs:eu-west-1:111122223333:buildmedic"}, []string{"is no topic ARN"}},
		{"with the topic's key", map[string]string{envKey: "arn:aws:kms:eu-west-1:111122223333:key/0a1b"}, nil},
		{"with the bucket of the code", map[string]string{envCode: "my-assets"}, nil},
		{"with the role", map[string]string{envRole: "buildmedic-hub-eu-west-1"}, nil},
		{"an ARN for a role", map[string]string{envRole: "arn:aws:iam::111122223333:role/r"}, []string{"is no role's name"}},
		{"an ARN for a bucket", map[string]string{envCode: "arn:aws:s3:::my-assets"}, []string{"is no bucket name"}},
		{"a topic for a key", map[string]string{envKey: "arn:aws:sns:eu-west-1:111122223333:buildmedic"}, []string{"is no key ARN"}},
		{"an ARN for a URL", map[string]string{envQueue: "arn:aws:sqs:eu-west-1:111122223333:buildmedic"}, []string{"is no queue URL"}},
		{"with the queue of follow-ups", map[string]string{
			envFollowUps: "https://sqs.eu-west-1.amazonaws.com/111122223333/buildmedic-follow-ups",
			envCures:     "https://sqs.eu-west-1.amazonaws.com/111122223333/buildmedic-cures"}, nil},
		{"an ARN for the URL of follow-ups", map[string]string{envFollowUps: "arn:aws:sqs:eu-west-1:111122223333:buildmedic"},
			[]string{envFollowUps + " is", "is no queue URL"}},
		{"a queue on localhost", map[string]string{envQueue: "http://localhost:4566/111122223333/buildmedic"}, nil},
		{"a queue on a loopback address", map[string]string{envQueue: "http://127.0.0.2:4566/111122223333/buildmedic"}, nil},
		{"a queue on IPv6's loopback", map[string]string{envQueue: "http://[::1]:4566/111122223333/buildmedic"}, nil},
		{"a queue without TLS elsewhere",
			map[string]string{envQueue: "http://localhost.example.com/111122223333/buildmedic"},
			[]string{"is no queue URL"}},
		{"a host that begins like loopback", map[string]string{envQueue: "http://127.0.0.1.example.com/111122223333/buildmedic"},
			[]string{"is no queue URL"}},
		{"a URL without a queue", map[string]string{envQueue: "https://sqs.eu-west-1.amazonaws.com/"}, []string{"is no queue URL"}},
		{"the settings that the function carries", map[string]string{envSettings: "", envTaskRoot: "/opt/task"}, nil},
		{"other settings than the function carries", map[string]string{envTaskRoot: "/elsewhere"}, nil},
		{"nothing carried", map[string]string{envSettings: "", envTaskRoot: "/elsewhere"},
			[]string{`"/elsewhere/buildmedic.yaml" does not exist`}},
		{"no file", map[string]string{envSettings: "none.yaml"}, []string{`"none.yaml" does not exist`}},
		{"a bad file and no queue", map[string]string{envSettings: "bad.yaml", envQueue: ""},
			[]string{envQueue + " is not set", "bad.yaml", ":2:", ":3:"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			getenv := func(name string) string {
				if v, ok := row.set[name]; ok {
					return v
				}
				return good[name]
			}
			c, err := readConfig(getenv, func(path string) ([]byte, error) {
				if text, ok := files[path]; ok {
					return []byte(text), nil
				}
				return nil, fs.ErrNotExist
			})
			if len(row.want) == 0 {
				if err != nil || c.settings == nil || c.region != "eu-west-1" ||
					c.memberRole != row.set[envMemberRole] || c.followUps != row.set[envFollowUps] || c.cures != row.set[envCures] ||
					c.key != row.set[envKey] || c.code != row.set[envCode] ||
					c.role != row.set[envRole] {
					t.Errorf("got %+v, %v", c, err)
				}
				return
			}
			if err == nil {
				t.Fatal("it was read")
			}
			for _, w := range row.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("it does not say %q:\n%v", w, err)
				}
			}
		})
	}
}
