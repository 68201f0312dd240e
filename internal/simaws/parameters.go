package simaws

import (
	"encoding/base64"
	"strings"
)

var parametersOperations = map[string]operation{
	"GetParameter": jsonCall(false, getParameter),
}

// defaultParameterKey is the key that AWS manages for Parameter Store. Its policy lets everybody in the
// account decrypt with it through Parameter Store (AWS.md#parameters).
const defaultParameterKey = "alias/aws/ssm"

type getParameterInput struct {
	Name           string
	WithDecryption bool
}

// getParameter takes a name or an ARN, and answers with the parameter's value (AWS.md#parameters).
func getParameter(r *request, in *getParameterInput) (any, error) {
	if in.Name == "" {
		return nil, fail("ValidationException", "1 validation error detected: Value '' at 'name' failed to satisfy constraint: "+
			"Member must have length greater than or equal to 1")
	}
	path := strings.TrimPrefix(in.Name, "/")
	if strings.HasPrefix(in.Name, "arn:") {
		var own bool
		if path, own = strings.CutPrefix(in.Name, r.est.arn("ssm", "parameter/")); !own {
			return nil, r.unknownParameter("the ARN of a parameter elsewhere")
		}
	}
	if strings.Contains(path, ":") {
		return nil, r.unknownParameter("a version or a label")
	}
	arn := r.est.arn("ssm", "parameter/"+path)
	if err := r.authorize("ssm:GetParameter", arn, nil); err != nil {
		return nil, err
	}
	name := "/" + path
	p, ok := r.est.parameters[name]
	if !ok && !strings.Contains(path, "/") {
		name = path
		p, ok = r.est.parameters[name]
	}
	if !ok || in.Name != name && !strings.HasPrefix(in.Name, "arn:") {
		return nil, fail("ParameterNotFound", "") // it says no more
	}
	value, err := r.parameterValue(p, arn, in.WithDecryption)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Parameter": map[string]any{"ARN": arn, "DataType": "text", "LastModifiedDate": epoch(r.sim.cfg.Start),
		"Name": name, "Type": p.Type, "Value": value, "Version": 1}}, nil
}

// parameterValue decrypts a SecureString, with the caller's own permissions, and leaves any other value
// as it is.
func (r *request) parameterValue(p parameterFile, arn string, decrypt bool) (string, error) {
	switch {
	case p.Type != "SecureString":
		return p.Value, nil
	case !decrypt:
		text := r.sim.digest("ciphertext", arn)
		return base64.StdEncoding.EncodeToString(text[:]), nil
	case p.Key == defaultParameterKey:
		return p.Value, nil
	case p.KeyState != "":
		return "", fail("InvalidKeyId", p.Key+" is "+p.KeyState+". (Service: AWSKMS; Status Code: 400; Error Code: "+
			"KMSInvalidStateException; Request ID: "+r.sim.uuid("kms request")+"; Proxy: null)")
	}
	return p.Value, r.authorize("kms:Decrypt", p.Key, map[string][]string{
		"kms:ViaService":                      {"ssm." + r.est.region + ".amazonaws.com"},
		"kms:EncryptionContext:PARAMETER_ARN": {arn}})
}
