// Package heal is the use case: it takes up a failed build, decides what to
// do about it, and does it, once.
//
// [Decide] is pure: facts in, a [Decision] out. The [Healer] gathers the
// facts and carries decisions out through the ports declared in ports.go,
// recording each step, so that a case resumes where it died.
package heal
