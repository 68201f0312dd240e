package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// The function's environment. The stack in infra/ and Lambda set it.
const (
	envSettings   = "BUILDMEDIC_SETTINGS"       // path of the settings, if they are not what the function carries
	envTable      = "BUILDMEDIC_TABLE"          // name of the ledger's table
	envLedger     = "BUILDMEDIC_LEDGER"         // "memory": no table, forgets at every cold start; for trials and tests
	envTopic      = "BUILDMEDIC_TOPIC_ARN"      // where notices go
	envKey        = "BUILDMEDIC_KEY_ARN"        // the topic's key, which no grant may touch; may be empty
	envQueue      = "BUILDMEDIC_QUEUE_URL"      // the queue of builds that failed
	envFollowUps  = "BUILDMEDIC_FOLLOW_UPS_URL" // the queue of what cases under way wait for; may be empty: then it is the other one
	envCures      = "BUILDMEDIC_CURES_URL"      // the queue of cases that were put off; may be empty: then they are follow-ups
	envCode       = "BUILDMEDIC_CODE_BUCKET"    // the bucket that holds the function's code, where no grant may write; may be empty
	envMemberRole = "BUILDMEDIC_MEMBER_ROLE"    // role to assume in member accounts; may be empty
	envRole       = "BUILDMEDIC_ROLE"           // name of the role that the function runs as; if empty, AWS is asked
	envFunction   = "AWS_LAMBDA_FUNCTION_NAME"  // set by Lambda
	envRegion     = "AWS_REGION"                // set by Lambda
	envTaskRoot   = "LAMBDA_TASK_ROOT"          // set by Lambda: where the function's package was unpacked
)

// carried is the name of the settings in the function's package.
const carried = "buildmedic.yaml"

// config is what the environment says.
type config struct {
	settings   *settings.Settings
	table      string // "" with the ledger in memory
	topic      string
	key        string // ARN, or ""
	queue      string
	followUps  string
	cures      string
	code       string // bucket, or ""
	memberRole string
	role       string // name, or ""
	function   string
	region     string
}

// readConfig reads the environment and the settings file, and reports all
// that is wrong with them at once.
func readConfig(getenv func(string) string, readFile func(string) ([]byte, error)) (config, error) {
	var errs []error
	need := func(name string) string {
		v := strings.TrimSpace(getenv(name))
		if v == "" {
			errs = append(errs, fmt.Errorf("%s is not set", name))
		}
		return v
	}
	c := config{topic: need(envTopic), queue: need(envQueue), function: need(envFunction), region: need(envRegion),
		memberRole: getenv(envMemberRole), table: getenv(envTable), key: getenv(envKey),
		code: getenv(envCode), followUps: getenv(envFollowUps), cures: getenv(envCures), role: getenv(envRole)}
	switch ledger := getenv(envLedger); {
	case ledger == "" && c.table == "":
		errs = append(errs, fmt.Errorf("%s is not set (or %s=memory, for a trial)", envTable, envLedger))
	case ledger != "" && ledger != "memory":
		errs = append(errs, fmt.Errorf("%s is %q; only \"memory\" is known", envLedger, ledger))
	case ledger == "memory" && c.table != "":
		errs = append(errs, fmt.Errorf("both %s and %s are set", envTable, envLedger))
	}
	if a, ok := codebuild.ParseARN(c.topic); c.topic != "" && (!ok || a.Service != "sns") {
		errs = append(errs, fmt.Errorf("%s is %q, which is no topic ARN", envTopic, c.topic))
	}
	if a, ok := codebuild.ParseARN(c.key); c.key != "" && (!ok || a.Service != "kms") {
		errs = append(errs, fmt.Errorf("%s is %q, which is no key ARN", envKey, c.key))
	}
	if strings.ContainsAny(c.code, ":/*? ") {
		errs = append(errs, fmt.Errorf("%s is %q, which is no bucket name", envCode, c.code))
	}
	if strings.ContainsAny(c.role, ":/*? ") {
		errs = append(errs, fmt.Errorf("%s is %q, which is no role's name", envRole, c.role))
	}
	for _, q := range []struct{ name, url string }{{envQueue, c.queue}, {envFollowUps, c.followUps}, {envCures, c.cures}} {
		if q.url != "" && !isQueueURL(q.url) {
			errs = append(errs, fmt.Errorf("%s is %q, which is no queue URL", q.name, q.url))
		}
	}
	path := strings.TrimSpace(getenv(envSettings))
	if root := getenv(envTaskRoot); path == "" && root != "" {
		path = filepath.Join(root, carried)
	}
	if path == "" {
		errs = append(errs, fmt.Errorf("%s is not set, and neither is %s, where the settings would be", envSettings, envTaskRoot))
		return c, errors.Join(errs...)
	}
	s, err := readSettings(path, readFile)
	c.settings = s
	return c, errors.Join(append(errs, err)...)
}

// isQueueURL reports whether a URL can be a queue's: of https, or on this
// machine, where emulators of AWS are.
func isQueueURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") == "" {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}

func readSettings(path string, readFile func(string) ([]byte, error)) (*settings.Settings, error) {
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("settings file %q does not exist: the stack in infra/ puts it beside bootstrap; deploy it again", path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	s, err := settings.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("settings file %q: %w", path, err)
	}
	return s, nil
}

func osConfig() (config, error) { return readConfig(os.Getenv, os.ReadFile) }
