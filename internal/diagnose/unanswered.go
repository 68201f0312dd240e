package diagnose

import (
	"net/netip"
	"slices"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// unanswered finds where the failed command, or CodeBuild itself in the phase's context, waited in
// vain to be connected with an address outside of the network. That is what a build sees in a VPC
// without a way out, since its packets are dropped (AWS.md#vpc). A connection that was refused,
// reset or cut off is another matter: somebody did answer.
//
// The first such line that names whom it called is the evidence. There is none beside a failure that is sure, or where the
// last such line was shown or survived, or another error stands before or behind it that a missing
// download does not explain.
func (x *facts) unanswered() (finding, bool) {
	if x.context != "" && isUnanswered(x.context) {
		return finding{evidence: x.contextEvidence()}, true
	}
	if x.sure != nil || len(x.Tests) > 0 || x.onlyRuns {
		return finding{}, false
	}
	first, last, named := -1, -1, false
	for i := range x.bare {
		if x.rows.match(noAnswer, i) && isUnanswered(x.bare[i]) && !x.tested(i) {
			if first < 0 || !named && x.rows.match(namesHost, i) {
				first, named = i, x.rows.match(namesHost, i)
			}
			last = i
		}
	}
	if last < 0 || !x.endsUnanswered(last) {
		return finding{}, false
	}
	return finding{evidence: Evidence{x.lines[first].N, x.lines[first].Text, buildlog.FromLog}}, true
}

// endsUnanswered reports whether the command ended for the line with index i: nothing but what a
// missing download explains stands behind it.
func (x *facts) endsUnanswered(i int) bool {
	w := weighing{earlier: -1, reads: true}
	from := noAnswer.Get().FindStringIndex(x.bare[i])
	x.weighLine(&w, i, x.bare[i][:from[0]], x.bare[i][from[1]:])
	follows := func(k int) bool { return x.rows.match(notDownloaded, k) || x.rows.match(noAnswer, k) || x.passing(k) }
	w.others = slices.DeleteFunc(w.others, follows)
	if x.rows.match(triesAgain, i) && (x.rows.anyAfter(notDownloaded, i) || slices.Contains(x.statuses, codebuild.TimedOut)) {
		w.survived = "" // it says of itself that it goes on: what counts is how that ended
	}
	return !w.shows && w.survived == "" && !w.outside && !w.elsewhere && len(w.others) == 0 && (w.earlier < 0 || follows(w.earlier))
}

// noAnswer are the words in which tools say that nobody answered while they connected, each as the
// tool prints it.
var noAnswer = lazyregexp.New(`(?i)` +
	`\bdial (tcp|udp)\d? \S+: (i/o timeout|connect: connection timed out)` + // Go: docker, terraform, the agent
	`|\brequest canceled while waiting for connection\b` +
	`|\bconnect ETIMEDOUT\b|\bcode:? '?(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)\b` + // Node
	`|\bConnect ?Timeout ?(Error|Exception)\b|\bOpenTimeout\b|\bconnect timeout[ =]` + // Python, Java, Ruby, the AWS CLI
	`|\bconnect(ion)? (to \S+ )?(has )?timed?[ -]?out\b|\bconnecting to .* timed out` +
	`|\bFailed to connect to \S+ port \d+ after \d{4,} ms\b` + // curl and git; a refusal comes sooner
	`|\bcurl:? (error )?\(?28\)?|\bTimeout was reached for\b` +
	`|\bcould not connect to \S+:\d+ \([^)]*\)[., ]+connection timed out|\bUnable to connect to \S+:https?:` + // apt
	`|\bport \d+: (Connection|Operation) timed out` + // ssh
	`|\bconnected party did not properly respond after a period of time`) // Windows

// namesHost matches a line that says who did not answer.
var namesHost = lazyregexp.New(`://|\S\.\S+:\d|\bport \d`)

// answered are the words of a connection that was there and then failed.
var answered = lazyregexp.New(`(?i)bytes received|SSL_read|recv failure|\bread tcp\b|\bread timed? ?out\b|\bReadTimeout` +
	`|Operation too slow|SSL connection timeout|TLS handshake|Resolving timed out`) // the last: by a name server

func isUnanswered(line string) bool {
	return noAnswer.MatchString(line) && !answered.MatchString(line) && !inside(line)
}

// notDownloaded is what tools say after a download that failed, and for want of it.
var notDownloaded = lazyregexp.New(`(?i)\(from versions: none\)|No matching distribution found for` +
	`|Could not find a version that satisfies` +
	`|Failed to (fetch|download|solve|resolve|pull|do request|load|get|query)|could not be (downloaded|resolved|fetched)` +
	`|Could not (resolve|transfer|fetch|get|download|read)|Unable to (fetch|connect|download|access|locate package)` +
	`|unable to access 'https?://|Some index files failed|have no installation candidate|Cannot (find a valid baseurl|download)` +
	`|All mirrors were tried|Giving up|spurious network error|clone of .* failed|npm (err!|error)|TypeError: fetch failed` +
	`|make sure you have the correct access rights|^and the repository exists\.` +
	`|^Reading (package lists|state information)\.|^Building dependency tree` +
	`|BUILD FAILURE|Max retries exceeded|Temporary failure|E: Package '|No package .* available|Retrying`)

// triesAgain is what tools say of a try that they will repeat.
var triesAgain = lazyregexp.New(`(?i)\bretry(ing)?\b|\btrying again\b|\bspurious network error\b|^W: `)

var (
	address  = lazyregexp.New(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`)
	hostName = lazyregexp.New(`(?i)\b(localhost|[\w-]+\.(internal|local|localdomain|corp|lan|intranet|svc|test)|` +
		`(rds|cache|redshift|docdb|neptune|es|aoss|elb|kafka|mq|efs|fsx|eks)\.([\w-]+\.)?amazonaws\.com|mount\.nfs4?)\b`)
	awsHost = lazyregexp.New(`(?i)\b[\w.-]+\.amazonaws\.com\b`)
)

// inside reports whether a line is about an address within the network: one of a private range, or
// a name that only stands for one. What AWS itself serves is not, even where an endpoint gives it a
// private address: that endpoint does not answer.
func inside(line string) bool {
	if hostName.MatchString(line) {
		return true
	}
	list := address.Get().FindAllString(line, -1)
	if list == nil || awsHost.MatchString(line) {
		return false
	}
	return !slices.ContainsFunc(list, func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err == nil && !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsUnspecified()
	})
}
