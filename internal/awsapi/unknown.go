package awsapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	cb "github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/codebuild/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// CodeBuild gets settings that the SDK does not know yet, and the SDK drops them without a word: a build that
// has one cannot be repeated by a new start, and nobody would notice (AWS.md#overrides). So they are looked for
// in the answer as it came.

// unknownIn are the parts of a record in which settings are, with what the SDK knows of each.
var unknownIn = map[string]reflect.Type{
	"environment": reflect.TypeFor[types.ProjectEnvironment](), "source": reflect.TypeFor[types.ProjectSource](),
	"cache": reflect.TypeFor[types.ProjectCache](), "vpcConfig": reflect.TypeFor[types.VpcConfig](),
}

// unknownSettings are settings of the first record in an answer that the SDK does not know: the name of each,
// such as environment.hostKernel, and its value as it came, which is for comparing only.
type unknownSettings map[string]string

// note reads them from the answer of the call that it is given to. list is the member of the answer in which
// the records are.
func (u unknownSettings) note(list string) func(*cb.Options) {
	read := middleware.DeserializeMiddlewareFunc("buildmedicUnknownSettings", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, meta, err := next.HandleDeserialize(ctx, in)
		resp, ok := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !ok || resp.StatusCode >= 300 {
			return out, meta, err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return out, meta, fmt.Errorf("reading the answer: %w", err)
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		u.read(body, list)
		return out, meta, nil
	})
	return func(o *cb.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Deserialize.Add(read, middleware.After) })
	}
}

func (u unknownSettings) read(body []byte, list string) {
	var answer map[string]json.RawMessage
	var records []map[string]json.RawMessage
	if json.Unmarshal(body, &answer) != nil || json.Unmarshal(answer[list], &records) != nil || len(records) == 0 {
		return // the SDK says what is wrong with it
	}
	for part, known := range unknownIn {
		var members map[string]json.RawMessage
		if json.Unmarshal(records[0][part], &members) != nil {
			continue
		}
		for name, value := range members {
			if !knows(known, name) && string(value) != "null" {
				u[part+"."+name] = string(value)
			}
		}
	}
}

// knows reports whether the SDK's type has the member.
func knows(t reflect.Type, member string) bool {
	_, ok := t.FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, member) })
	return ok
}

// beyond names those that the project has not, or has otherwise.
func (u unknownSettings) beyond(project unknownSettings) (names []string) {
	for name, value := range u {
		if has, ok := project[name]; !ok || has != value {
			names = append(names, name)
		}
	}
	for name := range project { // a new build would have it
		if _, ok := u[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
