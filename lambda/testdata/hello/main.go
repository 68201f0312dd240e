// Command hello is the smallest Lambda in Go: what the function's start-up
// and size are measured against.
package main

import "github.com/aws/aws-lambda-go/lambda"

func main() {
	lambda.Start(func() (string, error) { return "hello", nil })
}
