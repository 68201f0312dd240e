package simaws

import (
	"cmp"
	"time"
)

// HostOutage is a time in which a host on the Internet answers no build: commands that need it fail.
type HostOutage struct {
	Host     string
	From, To time.Time
	Prints   string // what they print then
	Exit     int    // their exit status; default 1
}

// AddOutage has a host fail.
func (s *Sim) AddOutage(o HostOutage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outages = append(s.outages, o)
}

// EndOutages has all hosts answer again.
func (s *Sim) EndOutages() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outages = nil
}

// outageFor finds what the step fails of now.
func (b *build) outageFor(st step) (HostOutage, bool) {
	s := b.sim()
	for _, o := range s.outages {
		if st.Needs != "" && o.Host == st.Needs && !s.now.Before(o.From) && s.now.Before(o.To) {
			o.Exit = cmp.Or(o.Exit, 1)
			return o, true
		}
	}
	return HostOutage{}, false
}
