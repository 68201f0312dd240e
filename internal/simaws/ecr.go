package simaws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// repository is an ECR repository.
type repository struct {
	created time.Time
	policy  string   // repository policy, "" for none
	images  []string // tags pushed
}

var repositoryNameForm = regexp.MustCompile(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$`)

var ecrOperations = map[string]operation{
	"DescribeRepositories": jsonCall(false, describeRepositories),
	"CreateRepository":     jsonCall(true, createRepository),
}

func (e *estate) repositoryARN(name string) string { return e.arn("ecr", "repository/"+name) }

type repositoryOut struct {
	RepositoryArn  string `json:"repositoryArn"`
	RegistryId     string `json:"registryId"`
	RepositoryName string `json:"repositoryName"`
	RepositoryUri  string `json:"repositoryUri"`
	CreatedAt      epoch  `json:"createdAt"`
}

func (e *estate) describeRepository(name string) repositoryOut {
	return repositoryOut{e.repositoryARN(name), e.acct.id, name, e.registry() + "/" + name, epoch(e.repos[name].created)}
}

// registry is the host name of the account's registry.
func (e *estate) registry() string {
	return e.acct.id + ".dkr.ecr." + e.region + ".amazonaws.com"
}

func noRepository(name, registry string) error {
	return fail("RepositoryNotFoundException",
		fmt.Sprintf("The repository with name '%s' does not exist in the registry with id '%s'", name, registry))
}

type describeRepositoriesInput struct {
	RepositoryNames []string `json:"repositoryNames"`
	RegistryId      string   `json:"registryId"`
}

func describeRepositories(r *request, in *describeRepositoriesInput) (any, error) {
	names := in.RepositoryNames
	if len(names) == 0 {
		if err := r.authorize("ecr:DescribeRepositories", r.est.repositoryARN("*"), nil); err != nil {
			return nil, err
		}
		names = sortedKeys(r.est.repos)
	}
	out := []repositoryOut{}
	for _, n := range names {
		if err := r.authorize("ecr:DescribeRepositories", r.est.repositoryARN(n), nil); err != nil {
			return nil, err
		}
		if r.est.repos[n] == nil {
			return nil, noRepository(n, r.est.acct.id)
		}
		out = append(out, r.est.describeRepository(n))
	}
	return map[string]any{"repositories": out}, nil
}

type createRepositoryInput struct {
	RepositoryName             string              `json:"repositoryName"`
	RegistryId                 string              `json:"registryId"`
	ImageTagMutability         string              `json:"imageTagMutability"`
	ImageScanningConfiguration map[string]any      `json:"imageScanningConfiguration"`
	EncryptionConfiguration    map[string]any      `json:"encryptionConfiguration"`
	Tags                       []map[string]string `json:"tags"`
}

func createRepository(r *request, in *createRepositoryInput) (any, error) {
	if err := r.authorize("ecr:CreateRepository", r.est.repositoryARN(in.RepositoryName), nil); err != nil {
		return nil, err
	}
	if len(in.Tags) > 0 {
		if err := r.authorize("ecr:TagResource", r.est.repositoryARN(in.RepositoryName), nil); err != nil {
			return nil, err
		}
	}
	if len(in.RepositoryName) < 2 || len(in.RepositoryName) > 256 || !repositoryNameForm.MatchString(in.RepositoryName) {
		return nil, fail("InvalidParameterException",
			"Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression "+
				repositoryNameForm.String()+"'")
	}
	if r.est.repos[in.RepositoryName] != nil {
		return nil, fail("RepositoryAlreadyExistsException",
			fmt.Sprintf("The repository with name '%s' already exists in the registry with id '%s'", in.RepositoryName,
				r.est.acct.id))
	}
	r.est.repos[in.RepositoryName] = &repository{created: r.sim.now}
	return map[string]any{"repository": r.est.describeRepository(in.RepositoryName)}, nil
}

// createdOnPush creates the repository that is pushed to if a repository creation template for its
// prefix says so (AWS.md#create-on-push).
func (e *estate) createdOnPush(name string) bool {
	if !slices.ContainsFunc(e.createOnPush, func(p string) bool { return p == "ROOT" || strings.HasPrefix(name, p+"/") }) {
		return false
	}
	e.repos[name] = &repository{created: e.sim.now}
	return true
}

// Repositories lists the names of the ECR repositories in the home account.
func (s *Sim) Repositories() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sortedKeys(s.home().repos)
}

// Images lists the tags that builds pushed to a repository of the home account.
func (s *Sim) Images(repo string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.home().repos[repo]; r != nil {
		return slices.Clone(r.images)
	}
	return nil
}

// parseImage splits an ECR image name into its parts; ok is false for an
// image of another registry.
func parseImage(image string) (registry, region, name, tag string, ok bool) {
	host, rest, found := strings.Cut(image, "/")
	f := strings.Split(host, ".")
	if !found || len(f) < 6 || f[1] != "dkr" || f[2] != "ecr" {
		return "", "", "", "", false
	}
	name, tag, _ = strings.Cut(rest, ":")
	def(&tag, "latest")
	return f[0], f[3], name, tag, true
}
