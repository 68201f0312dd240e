package simaws

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// generation is a job that makes a policy of what a role did.
type generation struct {
	principal string
	trail     string
	from      time.Time
	started   time.Time
}

const (
	// generations is the path below which jobs are read.
	generations = "/policy/generation/"
	// generationTakes is how long a job runs: some minutes (AWS.md#access-analyzer).
	generationTakes = 3 * time.Minute
)

type startPolicyGenerationInput struct {
	ClientToken             string `json:"clientToken"`
	PolicyGenerationDetails struct {
		PrincipalArn string `json:"principalArn"`
	} `json:"policyGenerationDetails"`
	CloudTrailDetails struct {
		AccessRole string     `json:"accessRole"`
		StartTime  time.Time  `json:"startTime"`
		EndTime    *time.Time `json:"endTime"`
		Trails     []struct {
			CloudTrailArn string   `json:"cloudTrailArn"`
			AllRegions    bool     `json:"allRegions"`
			Regions       []string `json:"regions"`
		} `json:"trails"`
	} `json:"cloudTrailDetails"`
}

func startPolicyGeneration(r *request, in *startPolicyGenerationInput) (any, error) {
	if err := r.authorize("access-analyzer:StartPolicyGeneration", "*", nil); err != nil {
		return nil, err
	}
	if _, ok := r.sim.roleByARN(in.PolicyGenerationDetails.PrincipalArn); !ok {
		return nil, fail("ValidationException", "The principal does not exist.")
	}
	if len(in.CloudTrailDetails.Trails) != 1 {
		return nil, fail("ValidationException", "Exactly one trail is required.")
	}
	if _, ok := r.sim.roleByARN(in.CloudTrailDetails.AccessRole); !ok {
		return nil, fail("ValidationException", "The access role does not exist.")
	}
	id := r.sim.uuid("generation")
	r.est.jobs[id] = &generation{in.PolicyGenerationDetails.PrincipalArn, in.CloudTrailDetails.Trails[0].CloudTrailArn,
		in.CloudTrailDetails.StartTime, r.sim.now}
	return map[string]any{"jobId": id}, nil
}

// getGeneratedPolicy gives the actions of management events, on everything.
func getGeneratedPolicy(r *request) (any, error) {
	if err := r.onlyQuery("includeResourcePlaceholders", "includeServiceLevelTemplate"); err != nil {
		return nil, err
	}
	if err := r.authorize("access-analyzer:GetGeneratedPolicy", "*", nil); err != nil {
		return nil, err
	}
	id := strings.TrimPrefix(r.http.URL.Path, generations)
	job, ok := r.est.jobs[id]
	if !ok {
		return nil, fail("ValidationException", "The job "+id+" does not exist.")
	}
	details := map[string]any{"jobId": id, "status": "IN_PROGRESS", "startedOn": job.started.Format(time.RFC3339)}
	properties := map[string]any{"principalArn": job.principal, "isComplete": false}
	done := job.started.Add(generationTakes)
	if r.sim.now.Before(done) {
		return map[string]any{"jobDetails": details, "generatedPolicyResult": map[string]any{"properties": properties}}, nil
	}
	details["status"], details["completedOn"] = "SUCCEEDED", done.Format(time.RFC3339)
	properties["isComplete"] = true
	properties["cloudTrailProperties"] = map[string]any{"startTime": job.from.Format(time.RFC3339),
		"endTime":         job.started.Format(time.RFC3339),
		"trailProperties": []any{map[string]any{"cloudTrailArn": job.trail, "allRegions": true}}}
	policy := map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Resource": "*",
		"Action": r.est.did(job)}}}
	text, err := json.Marshal(policy)
	if err != nil {
		panic("simaws: encoding a policy: " + err.Error()) // only strings in it
	}
	return map[string]any{"jobDetails": details, "generatedPolicyResult": map[string]any{"properties": properties,
		"generatedPolicies": []any{map[string]any{"policy": string(text)}}}}, nil
}

// did are the actions of the principal's events that were not refused.
func (e *estate) did(job *generation) []string {
	actions := []string{}
	for _, ev := range e.trail {
		refused := strings.Contains(ev.record, `"errorCode"`)
		if strings.HasSuffix(job.principal, "/"+ev.role) && ev.role != "" && !refused && !ev.at.Before(job.from) &&
			!slices.Contains(actions, ev.action) {
			actions = append(actions, ev.action)
		}
	}
	slices.Sort(actions)
	return actions
}
