package diagnose

import (
	"slices"
	"strings"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// when is what the build's record must show before a cause is tried: the same words mean one thing
// on Lambda compute, or in a VPC, and another elsewhere. The zero value asks for nothing. Unlike
// the output, a build cannot forge its record.
type when struct {
	environment                                    []string // its type has one of these words
	vpc, fleet, dockerServer, privileged, internet must
}

// must is what a condition asks of a fact. Without a record no fact is known, and neither answer
// holds.
type must int8

const (
	either must = iota
	is
	isNot
)

func (m must) holds(fact, known bool) bool { return m == either || known && fact == (m == is) }

// recorded reports whether the record of the build is as the cause wants it.
func (x *facts) recorded(w *when) bool {
	b, known := &x.Build, x.Build.Environment != ""
	words := strings.Split(b.Environment, "_")
	if w.environment != nil && !slices.ContainsFunc(w.environment, func(word string) bool {
		return slices.Contains(words, word) || word == "LAMBDA" && x.onLambda()
	}) {
		return false
	}
	return w.vpc.holds(b.VPC != "", known) && w.fleet.holds(b.Fleet != "", known) &&
		w.dockerServer.holds(b.DockerServer, known) && w.privileged.holds(b.Privileged, known) &&
		(w.internet == either || w.internet.holds(x.reached(), known))
}

// onLambda reports whether the build ran on Lambda compute. An image for it says so, too, where
// the record has no type.
func (x *facts) onLambda() bool {
	return strings.Contains(x.Build.Environment, "LAMBDA") ||
		x.Build.Environment == "" && strings.Contains(x.Build.Image, "-lambda-standard:")
}

// fleetName is the name of the fleet with that ARN, which ends in fleet/NAME:UUID.
func fleetName(arn string) string {
	_, name, _ := strings.Cut(arn, ":fleet/")
	name, _, _ = strings.Cut(name, ":")
	return name
}

// publicHosts are the types of a source that lies in the Internet, always.
var publicHosts = []string{"GITHUB", "BITBUCKET", "GITLAB"}

// reached reports whether the same build got something from the Internet before: its source, by an
// earlier command, or what the output of the failed one tells of (AWS.md#vpc). What comes from AWS may have come
// through an endpoint of the VPC, so it proves nothing about a way out.
func (x *facts) reached() bool {
	if slices.Contains(publicHosts, x.Build.SourceType) && slices.ContainsFunc(x.Build.Phases, func(p codebuild.Phase) bool {
		return p.Type == "DOWNLOAD_SOURCE" && p.Status == codebuild.Succeeded
	}) {
		return true
	}
	if x.Fetched {
		return true
	}
	for i := range x.bare {
		if x.rows.match(downloaded, i) && !x.tested(i) && !inside(x.bare[i]) && !strings.Contains(x.rows.low(i), ".amazonaws.com") {
			return true
		}
	}
	return false
}

// downloaded matches what tools print once something has arrived from an address that they name.
var downloaded = lazyregexp.New(`(?i)^(\[INFO\] )?Downloaded from \S+: https?://|^Get: ?\d+ https?://|\bhttp fetch GET 200 https?://|` +
	`\bHTTP request sent, awaiting response\.\.\. 200 OK|^[<] HTTP/[\d.]+ 200\b`)
