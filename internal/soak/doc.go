// Package soak holds the proofs that the healer is right under trouble: it
// dies at every single call, messages are lost and doubled, AWS throttles,
// strangers write. It has only tests; the trouble is made by package simaws.
//
// What is compared is what people see and IAM holds: policies, builds,
// notices. The package's tests say what is shown and what cannot be.
package soak
