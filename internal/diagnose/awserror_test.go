package diagnose

import (
	"strings"
	"testing"

	"github.com/buildmedic/buildmedic/internal/buildlog"
)

// TestAWSErrors reads one answer in each frame, whole and wrapped, and nothing where no service
// answered.
func TestAWSErrors(t *testing.T) {
	const id = "11111111-2222-3333-4444-555555555555"
	for _, tt := range []struct {
		name, text, want string
		line             int
	}{
		{"the CLI",
			"An error occurred (CartClosed) when calling the PutCart operation (reached max retries: 4): It is late",
			"CartClosed: It is late", 0},
		{"the CLI, wrapped",
			"An error occurred (CartClosed) when calling the PutCart operation:\nIt is late", "CartClosed: It is late", 0},
		{"the CLI, cut", "An error occurred (CartClosed) when calling the PutCart operation", "CartClosed: ", 0},
		{"the CLI, wrapped in its frame",
			"An error occurred (CartClosed) when\ncalling the PutCart operation: It is late", "CartClosed: It is late", 0},
		{"the CLI, the frame cut", "aws: [ERROR]: An error occurred (CartClosed): It is late", "CartClosed: It is late", 0},
		{"boto3's response", "{'Error': {'Code': 'CartClosed', 'Message': 'It is late'}}", "CartClosed: It is late'}}", 0},
		{"boto3's response, the message first", "{'Error': {'Message': 'It is late', 'Code': 'CartClosed'}}", "CartClosed: It is late", 0},
		{"a service's JSON", `{"__type":"com.example.shop#CartClosed","message":"It is late"}`, `CartClosed: It is late"}`, 0},
		{"Go v2, a modelled error",
			"operation error Shop: PutCart, https response error StatusCode: 400, RequestID: " + id + ", CartClosed: It is late",
			"CartClosed: It is late", 0},
		{"Go v2, of S3",
			"operation error S3: PutObject, https response error StatusCode: 400, RequestID: 1, HostID: a/b+c=, api error " +
				"CartClosed: It is late",
			"CartClosed: It is late", 0},
		{"Go v2, in Terraform's box",
			"│ Error: creating Shop Cart (web): operation error Shop: PutCart, https\n│ response error StatusCode: 400, RequestID: 1,\n" +
				"│ CartClosed: It is late\n│ \n│   with shop_cart.web,", "CartClosed: It is late", 2},
		{"Go v2, after many tries",
			"operation error Shop: PutCart, exceeded maximum number of attempts, 25, https response error StatusCode: 500, " +
				"RequestID: 1, CartClosed: It is late", "CartClosed: It is late", 0},
		{"Go v2, shortened", "operation error Shop: ListCarts, CartClosed", "CartClosed: ", 0},
		{"Go v1",
			"Error: error creating Cart (web): CartClosed: It is late\n\tstatus code: 400, request id: " + id,
			"CartClosed: It is late", 0},
		{"Go v1, without Terraform", "CartClosed: It is late\n\tstatus code: 400, request id: " + id, "CartClosed: It is late", 0},
		{"Terraform's verb", "Error: associating Cart: CartClosed: It is late", "CartClosed: It is late", 0},
		{"a handler of CloudFormation",
			`Resource handler returned message: "It is late" (RequestToken: ` + id + `, HandlerErrorCode: CartClosed)`,
			`CartClosed: Resource handler returned message: "It is late`, 0},
		{"a handler without a code",
			`Resource handler returned message: "It is late (Service: Shop, Status Code: 400, Request ID: 1)" (RequestToken: 1, ` +
				`HandlerErrorCode: GeneralServiceException)`, `: Resource handler returned message: "It is late`, 0},
		{"an event, as the CDK lists it",
			"shop | 4/9 | 10:00:03 AM | CREATE_FAILED        | AWS::Shop::Cart | Web/Cart (WebCart0A1B2C3D) It is late", ": It is late", 0},
		{"an event, the reason below it", "UPDATE_FAILED        | AWS::Shop::Cart | WebCart0A1B2C3D\nIt is late", ": It is late", 1},
		{"an event in columns", "CREATE_FAILED            AWS::Shop::Cart          WebCart                  It is late", ": It is late", 0},
		{"an event, as Serverless prints it", "CREATE_FAILED: WebCart (AWS::Shop::Cart)\nIt is late", ": It is late", 1},
		{"an event as JSON", `  "ResourceStatusReason": "It is late",`, `: It is late",`, 0},
		{"a stack's end", "The stack named web failed to deploy: UPDATE_ROLLBACK_COMPLETE: It is late", ": It is late", 0},
		{"Java v1",
			"It is late (Service: AWSShop; Status Code: 400; Error Code: CartClosed; Request ID: 1; Proxy: null)",
			"CartClosed: It is late", 0},
		{"Java v2", "software.amazon.awssdk.services.shop.model.CartClosed: It is late (Service: Shop, Status Code: 400, Request ID: 1)",
			"CartClosed: It is late", 0},
		{"Ruby", "/app/ship.rb:9:in `call': It is late (Aws::Shop::Errors::CartClosed)", "CartClosed: : It is late", 0},
		{"Ruby, printed", "Aws::Shop::Errors::CartClosed: It is late", "CartClosed: It is late", 0},
		{"PHP", "CartClosed (client): It is late", "CartClosed: It is late", 0},
		{".NET", "Unhandled exception. Amazon.Shop.Model.CartClosed: It is late", "CartClosed: It is late", 0},
		{"boto3", "botocore.errorfactory.CartClosed: An answer", "CartClosed: An answer", 0},
		{"S3's own",
			`<?xml version="1.0"?><Error><Code>CartClosed</Code><Message>It is late</Message></Error>`, "CartClosed: It is late", 0},
		{"Node.js",
			"DBCartClosed: It is late\n    at f (/app/node_modules/@smithy/smithy-client/dist-cjs/index.js:1:2)",
			"DBCartClosed: It is late", 0},

		{"another's resource", "CREATE_FAILED        | Custom::Cart | Web/Cart (WebCart0A1B2C3D) It is late", "", 0},
		{"an error of the language",
			"TypeError: x is undefined\n    at f (/app/node_modules/@smithy/smithy-client/dist-cjs/index.js:1:2)", "", 0},
		{"no SDK below it", "CartClosedException: It is late\n    at f (/app/index.js:1:2)", "", 0},
		{"another program", "java.io.FileNotFoundException: /etc/shop (No such file or directory)", "", 0},
		{"a refusal", "An error occurred (ClientException) when calling the PutCart operation: User is not authorized", "", 0},
		{"a refusal by its code", "Aws::Shop::Errors::CartAccessDeniedException: no", "", 0},
		{"no answer",
			"operation error Shop: PutCart, https response error StatusCode: 0, RequestID: , request send failed, Post " +
				"\"https://shop\": dial tcp: timeout",
			"", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &buildlog.Failure{}
			for i, l := range strings.Split(tt.text, "\n") {
				f.Tail = append(f.Tail, buildlog.Line{N: i + 1, Text: l})
			}
			list := gather(f).awsErrors()
			if tt.want == "" {
				if len(list) > 0 {
					t.Errorf("read %q", list[0].text)
				}
				return
			}
			if len(list) == 0 || list[0].text != tt.want || list[0].line != tt.line {
				t.Fatalf("got %+v, want %q in line %d", list, tt.want, tt.line)
			}
			if e, code := list[0], strings.TrimSuffix(strings.SplitAfter(tt.want, ":")[0], ":"); code != "" {
				if line := gather(f).bare[e.line]; line[e.from:e.to] != code {
					t.Errorf("the code is said to stand at %q", line[e.from:e.to])
				}
			}
		})
	}
}

// TestLooseErrors reads codes and messages whose frame is missing, but only in a text that was taken
// out of a log.
func TestLooseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"CartClosedException: It is late":                                     "CartClosedException: It is late",
		"it fails with `InvalidCart.Closed: It is late`":                      "InvalidCart.Closed: It is late`",
		"Error: CartClosedException: It is late":                              "CartClosedException: It is late",
		"{\n  code: 'CartClosedException',\n  message: 'It is late',":         "CartClosedException: It is late',",
		"\"errorCode\": \"CartClosedException\",\n\"errorMessage\": \"Late\"": "CartClosedException: Late\"",
		"java.io.FileNotFoundException: /etc/shop":                            "",
		"NullPointerException: cart":                                          "",
		"Error: It is late":                                                   "",
	} {
		f := &buildlog.Failure{}
		for i, l := range strings.Split(text, "\n") {
			f.Tail = append(f.Tail, buildlog.Line{N: i + 1, Text: l})
		}
		x := gather(f)
		if list := x.awsErrors(); len(list) > 0 {
			t.Errorf("%s: read without the question %q", text, list[0].text)
		}
		x.quoted, x.answers = true, nil
		got := ""
		if list := x.awsErrors(); len(list) > 0 {
			got = list[0].text
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
