package simaws

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// logGroup is a CloudWatch log group.
type logGroup struct{ streams map[string]*logStream }

// logStream is a log stream; its events are in order of time.
type logStream struct {
	created time.Time
	events  []logEvent
}

type logEvent struct {
	at      time.Time
	message string
}

// The limits of one page (AWS.md#reading-cloudwatch).
const (
	maxPageEvents = 10000
	maxPageBytes  = 1 << 20
)

var logsOperations = map[string]operation{
	"GetLogEvents":       jsonCall(false, getLogEvents),
	"DescribeLogStreams": jsonCall(false, describeLogStreams),
	"DescribeLogGroups":  jsonCall(false, describeLogGroups),
	"FilterLogEvents":    jsonCall(false, filterLogEvents),
}

// stream finds or founds a log stream.
func (e *estate) stream(group, name string) *logStream {
	g, ok := e.groups[group]
	if !ok {
		g = &logGroup{streams: map[string]*logStream{}}
		e.groups[group] = g
	}
	st, ok := g.streams[name]
	if !ok {
		st = &logStream{created: e.sim.now}
		g.streams[name] = st
	}
	return st
}

func (e *estate) streamARN(group, stream string) string {
	return e.arn("logs", "log-group:"+group+":log-stream:"+stream)
}

type getLogEventsInput struct {
	LogGroupName       string `json:"logGroupName"`
	LogGroupIdentifier string `json:"logGroupIdentifier"`
	LogStreamName      string `json:"logStreamName"`
	NextToken          string `json:"nextToken"`
	StartFromHead      bool   `json:"startFromHead"`
	Limit              int    `json:"limit"`
	StartTime          *int64 `json:"startTime"`
	EndTime            *int64 `json:"endTime"`
}

type logEventOut struct {
	Timestamp     int64  `json:"timestamp"`
	IngestionTime int64  `json:"ingestionTime"`
	Message       string `json:"message"`
}

type getLogEventsOutput struct {
	Events            []logEventOut `json:"events"`
	NextForwardToken  string        `json:"nextForwardToken"`
	NextBackwardToken string        `json:"nextBackwardToken"`
}

// getLogEvents gives pages of a stream (AWS.md#reading-cloudwatch): at most 1 MB or
// 10,000 events, possibly empty while more exist; the end is reached when the
// same token comes back; without startFromHead the first page is the latest.
func getLogEvents(r *request, in *getLogEventsInput) (any, error) {
	group := in.LogGroupName
	if id := in.LogGroupIdentifier; id != "" {
		_, rest, _ := strings.Cut(id, ":log-group:")
		group = rest
		if rest == "" {
			group = id
		}
	}
	if err := r.authorize("logs:GetLogEvents", r.est.streamARN(group, in.LogStreamName), nil); err != nil {
		return nil, err
	}
	g, ok := r.est.groups[group]
	if !ok {
		return nil, fail("ResourceNotFoundException", "The specified log group does not exist.")
	}
	st, ok := g.streams[in.LogStreamName]
	if !ok {
		return nil, fail("ResourceNotFoundException", "The specified log stream does not exist.")
	}
	if in.Limit < 0 || in.Limit > maxPageEvents {
		return nil, fail("InvalidParameterException",
			fmt.Sprintf("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member "+
				"must have value less than or equal to 10000", in.Limit))
	}
	t, err := parseLogToken(in, r.sim.now)
	if err != nil {
		return nil, err
	}
	return st.page(r.sim, in, t), nil
}

// logToken is where a page begins: position pos, going forward or backward.
// empties counts the empty pages given there already.
type logToken struct {
	given    bool
	backward bool
	pos      int
	empties  int
	made     time.Time
}

// String is the token in the form of AWS's: "f/…/s".
func (t logToken) String() string {
	dir := "f"
	if t.backward {
		dir = "b"
	}
	return fmt.Sprintf("%s/%020d%08d%028d/s", dir, t.made.Unix(), t.empties, t.pos)
}

func parseLogToken(in *getLogEventsInput, now time.Time) (logToken, error) {
	s := in.NextToken
	if s == "" {
		return logToken{backward: !in.StartFromHead, made: now}, nil
	}
	bad := fail("InvalidParameterException", "The specified nextToken is invalid.")
	if len(s) != 2+56+2 || s[1] != '/' || !strings.HasSuffix(s, "/s") || s[0] != 'f' && s[0] != 'b' {
		return logToken{}, bad
	}
	t := logToken{given: true, backward: s[0] == 'b'}
	made, err1 := strconv.ParseInt(s[2:22], 10, 64)
	empties, err2 := strconv.Atoi(s[22:30])
	pos, err3 := strconv.Atoi(s[30:58])
	if err1 != nil || err2 != nil || err3 != nil {
		return logToken{}, bad
	}
	t.made, t.empties, t.pos = time.Unix(made, 0), empties, pos
	if now.Sub(t.made) > 24*time.Hour {
		return logToken{}, bad
	}
	if !t.backward && !in.StartFromHead {
		return logToken{}, fail("InvalidParameterException", "startFromHead must be true when a nextForwardToken is used.")
	}
	return t, nil
}

// page gives the page at t.
func (st *logStream) page(s *Sim, in *getLogEventsInput, t logToken) getLogEventsOutput {
	evs := st.visible(s, in)
	if !t.given {
		t.pos = 0
		if t.backward {
			t.pos = len(evs)
		}
	}
	t.pos = min(t.pos, len(evs))
	limit := in.Limit
	def(&limit, maxPageEvents)
	if n := s.cfg.Trouble.LogPage; n > 0 {
		limit = min(limit, n)
	}
	from, to := window(evs, t, limit)
	out := getLogEventsOutput{Events: []logEventOut{}}
	if from < to && t.empties < s.cfg.Trouble.EmptyPages {
		t.empties++
		from, to = t.pos, t.pos
	} else if from < to {
		t.empties = 0
	}
	for _, e := range evs[from:to] {
		out.Events = append(out.Events, logEventOut{Timestamp: e.at.UnixMilli(), IngestionTime: e.at.UnixMilli() + 20, Message: e.message})
	}
	fwd := logToken{pos: to, empties: t.empties, made: t.made}
	bwd := logToken{backward: true, pos: from, empties: t.empties, made: t.made}
	out.NextForwardToken, out.NextBackwardToken = fwd.String(), bwd.String()
	return out
}

// visible gives the events in the asked time that have arrived so far.
func (st *logStream) visible(s *Sim, in *getLogEventsInput) []logEvent {
	lag := s.cfg.Trouble.LogLag
	n, _ := slices.BinarySearchFunc(st.events, s.now.Add(-lag), func(e logEvent, t time.Time) int {
		if e.at.After(t) {
			return 1
		}
		return -1
	})
	evs := st.events[:n]
	if in.StartTime == nil && in.EndTime == nil {
		return evs
	}
	return slices.DeleteFunc(slices.Clone(evs), func(e logEvent) bool {
		ms := e.at.UnixMilli()
		return in.StartTime != nil && ms < *in.StartTime || in.EndTime != nil && ms >= *in.EndTime
	})
}

// window is how far a page reaches from t.pos within the limits.
func window(evs []logEvent, t logToken, limit int) (from, to int) {
	from, to = t.pos, t.pos
	size := 0
	for to-from < limit {
		next := to
		if t.backward {
			next = from - 1
		}
		if next < 0 || next >= len(evs) {
			break
		}
		if size += len(evs[next].message); size > maxPageBytes && to > from {
			break
		}
		if t.backward {
			from--
		} else {
			to++
		}
	}
	return from, to
}

type describeLogStreamsInput struct {
	LogGroupName        string `json:"logGroupName"`
	LogStreamNamePrefix string `json:"logStreamNamePrefix"`
}

type logStreamOut struct {
	LogStreamName string `json:"logStreamName"`
	Arn           string `json:"arn"`
	CreationTime  int64  `json:"creationTime"`
}

func describeLogStreams(r *request, in *describeLogStreamsInput) (any, error) {
	if err := r.authorize("logs:DescribeLogStreams", r.est.arn("logs", "log-group:"+in.LogGroupName), nil); err != nil {
		return nil, err
	}
	g, ok := r.est.groups[in.LogGroupName]
	if !ok {
		return nil, fail("ResourceNotFoundException", "The specified log group does not exist.")
	}
	out := []logStreamOut{}
	for _, name := range sortedKeys(g.streams) {
		if strings.HasPrefix(name, in.LogStreamNamePrefix) {
			out = append(out, logStreamOut{name, r.est.streamARN(in.LogGroupName, name), g.streams[name].created.UnixMilli()})
		}
	}
	return map[string]any{"logStreams": out}, nil
}

type describeLogGroupsInput struct {
	LogGroupNamePrefix string `json:"logGroupNamePrefix"`
}

func describeLogGroups(r *request, in *describeLogGroupsInput) (any, error) {
	if err := r.authorize("logs:DescribeLogGroups", r.est.arn("logs", "log-group:*"), nil); err != nil {
		return nil, err
	}
	out := []map[string]any{}
	for _, name := range sortedKeys(r.est.groups) {
		if strings.HasPrefix(name, in.LogGroupNamePrefix) {
			out = append(out, map[string]any{"logGroupName": name, "arn": r.est.arn("logs", "log-group:"+name+":*")})
		}
	}
	return map[string]any{"logGroups": out}, nil
}

type filterLogEventsInput struct {
	LogGroupName  string `json:"logGroupName"`
	FilterPattern string `json:"filterPattern"` // a word, or a text in quotation marks
	StartTime     *int64 `json:"startTime"`
	EndTime       *int64 `json:"endTime"`
	Interleaved   bool   `json:"interleaved"`
}

type filteredEventOut struct {
	LogStreamName string `json:"logStreamName"`
	EventID       string `json:"eventId"`
	logEventOut
}

// filterLogEvents gives a group's newest events that have the text, in one page.
func filterLogEvents(r *request, in *filterLogEventsInput) (any, error) {
	if err := r.authorize("logs:FilterLogEvents", r.est.arn("logs", "log-group:"+in.LogGroupName), nil); err != nil {
		return nil, err
	}
	g, ok := r.est.groups[in.LogGroupName]
	if !ok {
		return nil, fail("ResourceNotFoundException", "The specified log group does not exist.")
	}
	text := strings.Trim(in.FilterPattern, `"`)
	if strings.ContainsAny(text, "{}[]?$%") || text == in.FilterPattern && strings.Contains(text, " ") {
		return nil, r.unknownParameter("a filter pattern that is no plain text")
	}
	out := []filteredEventOut{}
	for _, name := range sortedKeys(g.streams) {
		for i, e := range g.streams[name].visible(r.sim, &getLogEventsInput{StartTime: in.StartTime, EndTime: in.EndTime}) {
			if strings.Contains(e.message, text) {
				out = append(out, filteredEventOut{name, fmt.Sprintf("%s/%d", name, i),
					logEventOut{e.at.UnixMilli(), e.at.UnixMilli() + 20, e.message}})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b filteredEventOut) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	return map[string]any{"events": out[max(0, len(out)-maxPageEvents):], "searchedLogStreams": []any{}}, nil
}
