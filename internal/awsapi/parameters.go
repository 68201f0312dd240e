package awsapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/buildmedic/buildmedic/internal/codebuild"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/settings"
)

// Parameters reads SecureStrings of Systems Manager's Parameter Store, as the function itself.
//
// Its one call is made by hand. The SDK's module for Systems Manager, v1.83, is the largest of all that
// the function would link: it puts 0.26 MiB into the archive (8.05 to 8.31 MiB), and at each start, with
// or without a parameter, 1.5 MB and 8,800 allocations in about 2.5 ms. The tests hold the call against
// that module's.
type Parameters struct{ Accounts *Accounts }

// maxParameterAnswer bounds an answer; a value has up to 8 KB (AWS.md#parameters).
const maxParameterAnswer = 64 << 10

// parameterStore is the client of Systems Manager in one region.
type parameterStore struct{ byHand }

// newParameterStore makes one as the service's NewFromConfig does.
func newParameterStore(cfg aws.Config, _ ...func(*struct{})) *parameterStore {
	p := &parameterStore{newByHand(cfg, handService{id: "SSM", host: "ssm", signs: "ssm"})}
	if strings.HasSuffix(p.base, ".amazonaws.com") { // GovCloud's usual endpoint is its FIPS endpoint
		p.base = strings.Replace(p.base, "//ssm-fips.us-gov-", "//ssm.us-gov-", 1)
	}
	return p
}

type getParameterInput struct {
	Name           string
	WithDecryption bool
}

// parameterOut is the answer, as far as it is read.
type parameterOut struct {
	Parameter struct{ Type, Value string }
}

func (p *parameterStore) get(ctx context.Context, name string) (out parameterOut, err error) {
	const operation = "GetParameter"
	body, err := json.Marshal(getParameterInput{name, true})
	if err != nil {
		return out, err
	}
	err = p.call(ctx, handCall{operation: operation, method: http.MethodPost, path: "/", body: body, most: maxParameterAnswer,
		header: map[string]string{"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM." + operation}}, &out)
	return out, err
}

// Secret implements codehost.Secrets. A parameter that is named by its ARN is asked for in its own
// region. One that is not encrypted is a fault, and its value goes nowhere.
func (p Parameters) Secret(ctx context.Context, id string) (string, error) {
	at := settings.Account{}
	if a, ok := codebuild.ParseARN(id); ok {
		at.Region = a.Region
	}
	api, err := client(p.Accounts, at, newParameterStore)
	if err != nil {
		return "", err
	}
	out, err := api.get(ctx, id)
	if err != nil {
		return "", refusedSecret(classify(err))
	}
	if out.Parameter.Type != "SecureString" {
		return "", heal.FaultError{Says: fmt.Sprintf("parameter %s is a %s and not a SecureString, so the credentials are there for "+
			"everybody to read who may read parameters: revoke them, delete the parameter, and store new ones in its place as a "+
			"SecureString", id, out.Parameter.Type)}
	}
	return out.Parameter.Value, nil
}
