// Command lambda is the function as it is deployed: the bootstrap of a
// provided.al2023 Lambda. It wires the healer to AWS once and hands every
// invocation to the inbox.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	h, err := newHandler(os.Stdout)
	if err != nil {
		fmt.Fprintf(os.Stderr, "buildmedic: %v\n", err)
		os.Exit(1)
	}
	lambda.Start(h.Invoke)
}
