package main

import (
	"fmt"
	"strings"

	"github.com/buildmedic/buildmedic/internal/notice"
	"github.com/buildmedic/buildmedic/internal/simaws"
)

// minScreen is the narrowest screen that demo -mail shows mails on.
const minScreen = 20

// mails prints the mails that the story's team gets, in order; with columns as a screen shows them
// that is so wide.
func (d *demo) mails(name string, ns []simaws.Notice, columns int) {
	for i, n := range ns {
		fmt.Fprintf(d.out, "%s\n", d.dim(fmt.Sprintf("%s, mail %d of %d, %s", name, i+1, len(ns),
			n.At.UTC().Format("2006-01-02 15:04:05 UTC"))))
		subject := []string{"Subject: " + n.Subject}
		text := strings.Split(strings.TrimRight(n.ByProtocol["email"], "\n"), "\n")
		if columns > 0 {
			subject, text = notice.Screen(subject[0], columns), notice.Screen(n.ByProtocol["email"], columns)
		}
		for _, l := range subject {
			fmt.Fprintf(d.out, "%s\n", d.bold(l))
		}
		fmt.Fprintf(d.out, "\n%s\n\n", strings.Join(text, "\n"))
	}
	if len(ns) == 0 {
		fmt.Fprintf(d.out, "%s\n\n", d.dim(name+": the team gets no mail"))
	}
}
