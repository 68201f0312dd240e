package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/buildmedic/buildmedic/internal/decide"
	"github.com/buildmedic/buildmedic/internal/heal"
)

const examplePlan = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func runReject(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) int {
	return runCommand(ctx, "reject", "PLAN", "Drops the plan that was proposed under this SHA-256. If it was approved, and nothing was\n"+
		"changed yet, that revokes the approval. What was changed already, `buildmedic undo` takes back.",
		"buildmedic reject -table TABLE "+examplePlan, args,
		func(arg string) (heal.Command, error) {
			what, err := planOf(arg)
			return heal.Command{Reject: what}, err
		}, stdout, stderr)
}

// planOf reads a plan's name.
func planOf(arg string) (*heal.PlanWhat, error) {
	if sum, err := hex.DecodeString(arg); err != nil || len(sum) != sha256.Size {
		return nil, fmt.Errorf("%q is not a plan: write the SHA-256 that the notice gives, 64 hexadecimal digits", arg)
	}
	return &heal.PlanWhat{Plan: arg}, nil
}

// tellOrder is a line about what a person told the healer.
func tellOrder(o decide.Order) string {
	s := fmt.Sprintf("%s  %s by %s", o.At.UTC().Format("2006-01-02 15:04:05 UTC"), o.Verb, cmp.Or(o.By, "somebody"))
	if o.Via != "" {
		s += ", via " + string(o.Via)
	}
	if o.By != "" || o.Via != "" {
		s += ", as the command said"
	}
	if o.Request != "" {
		s += "; request " + o.Request
	}
	return s
}
