package simaws

import "strings"

var secretsOperations = map[string]operation{
	"GetSecretValue": jsonCall(false, getSecretValue),
}

type getSecretValueInput struct {
	SecretID string `json:"SecretId"`
}

// getSecretValue takes a name or an ARN, and answers with the secret's text (AWS.md#secrets).
func getSecretValue(r *request, in *getSecretValueInput) (any, error) {
	const ending = "-a1B2c3"
	name := in.SecretID
	if a := strings.Split(name, ":"); len(a) == 7 {
		name = strings.TrimSuffix(a[6], ending)
	}
	arn := r.est.arn("secretsmanager", "secret:"+name+ending)
	if err := r.authorize("secretsmanager:GetSecretValue", arn, nil); err != nil {
		return nil, err
	}
	value, ok := r.est.secrets[name]
	if !ok {
		return nil, fail("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	return map[string]any{"ARN": arn, "Name": name, "SecretString": value, "VersionId": r.sim.uuid("secret"),
		"VersionStages": []string{"AWSCURRENT"}, "CreatedDate": epoch(r.sim.cfg.Start)}, nil
}
