package simaws

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// digest is a hash of the seed and of what the parts name, so that every id
// and every dice roll depends on what it is for, not on the order in which
// goroutines came along.
func (s *Sim) digest(parts ...string) [32]byte {
	return sha256.Sum256([]byte(strconv.FormatUint(s.cfg.Seed, 10) + "\x00" + strings.Join(parts, "\x00")))
}

// nth counts how often it was asked with the same name, from 1.
func (s *Sim) nth(name string) int {
	s.counters[name]++
	return s.counters[name]
}

// uuid makes the next UUID for a purpose.
func (s *Sim) uuid(purpose string) string {
	d := s.digest("uuid", purpose, strconv.Itoa(s.nth("uuid "+purpose)))
	d[6] = d[6]&0x0f | 0x40
	d[8] = d[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", d[0:4], d[4:6], d[6:8], d[8:10], d[10:16])
}

// commitID makes a git commit id for a purpose; equal purposes give equal ids.
func (s *Sim) commitID(purpose string) string {
	d := s.digest("commit", purpose)
	return fmt.Sprintf("%x", d[:20])
}

// uniqueID makes an IAM unique id such as AROAEXAMPLE….
func (s *Sim) uniqueID(prefix, name string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	d := s.digest("id", prefix, name)
	var b strings.Builder
	b.WriteString(prefix)
	for _, c := range d[:17] {
		b.WriteByte(letters[int(c)%len(letters)])
	}
	return b.String()
}

// chance is a number in [0,1) for a dice roll about what the parts name.
func (s *Sim) chance(parts ...string) float64 {
	d := s.digest(append([]string{"chance"}, parts...)...)
	return float64(binary.BigEndian.Uint64(d[:8])>>11) / (1 << 53)
}

// between is a duration in [least, most] for what the parts name.
func (s *Sim) between(least, most time.Duration, parts ...string) time.Duration {
	if most <= least {
		return least
	}
	return least + time.Duration(s.chance(parts...)*float64(most-least))
}
