// Package codecommit asks in CodeCommit, by pull requests, for what a role may be given. What is
// asked for, and what a branch of Buildmedic's is, package codehost says.
package codecommit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/aws/smithy-go"

	"github.com/buildmedic/buildmedic/internal/codehost"
	"github.com/buildmedic/buildmedic/internal/heal"
	"github.com/buildmedic/buildmedic/internal/policyfile"
)

// Repositories are those of an account and region.
type Repositories struct {
	Client *codecommit.Client
	Region string
}

const (
	author = "Buildmedic"
	// maxRequests bounds the requests of a status that are looked through: no list of CodeCommit's says
	// which branch one is of (AWS.md#codecommit).
	maxRequests = 200
)

// Propose opens a pull request, or brings the one that is open up to date, as that of
// [codehost.GitHub] does. A commit of CodeCommit has one parent, so an open request whose file has
// changed at the base is [codehost.Behind]: it is not merged anew. What IAM denies, and what keeps the
// credentials from being had, is the SDK's own error.
func (r Repositories) Propose(ctx context.Context, c codehost.Change) (codehost.Request, error) {
	for range codehost.Tries {
		got, err := (&asking{r, c}).propose(ctx)
		if !errors.Is(err, errMoved) {
			return got, err
		}
	}
	return codehost.Request{}, fmt.Errorf("%w: branch %s of %s changed at each of %d tries", heal.ErrLater, c.Branch, c.Repository,
		codehost.Tries)
}

// errMoved: what was read is no longer so.
var errMoved = errors.New("it changed meanwhile")

// asking makes the calls for one change.
type asking struct {
	Repositories
	codehost.Change
}

func (a *asking) propose(ctx context.Context) (codehost.Request, error) {
	tip, err := a.base(ctx)
	if err != nil {
		return codehost.Request{}, err
	}
	was, err := a.file(ctx, tip)
	if err != nil {
		return codehost.Request{}, err
	}
	_, lacks, err := policyfile.Add(was.Text, a.Statements)
	if err != nil {
		return codehost.Request{}, a.bad(err)
	}
	if len(lacks) == 0 {
		return codehost.Request{Result: codehost.Landed, Branch: a.Branch}, nil
	}
	asked := a.Branch
	for n := 1; n <= codehost.MaxAsked; n++ {
		a.Branch = codehost.Nth(asked, n)
		earlier, err := a.earlier(ctx)
		switch {
		case err != nil:
			return codehost.Request{}, err
		case earlier == nil || earlier.PullRequestStatus == types.PullRequestStatusEnumOpen:
			return a.ask(ctx, tip, was, earlier)
		case !merged(*earlier):
			return a.result(codehost.Declined, earlier), nil
		}
	}
	return codehost.Request{}, fault("the same was asked for and merged %d times in repository %s, and it is gone again; see "+
		"what takes it out of %s", codehost.MaxAsked, a.Repository, a.Path)
}

// base is the newest commit of the base, which is found if the change names none.
func (a *asking) base(ctx context.Context) (string, error) {
	if a.Base == "" {
		out, err := a.Client.GetRepository(ctx, &codecommit.GetRepositoryInput{RepositoryName: &a.Repository})
		if err != nil {
			return "", a.refused(err)
		}
		if a.Base = aws.ToString(out.RepositoryMetadata.DefaultBranch); a.Base == "" {
			return "", fault("repository %s is empty: it needs a first commit", a.Repository)
		}
	}
	tip, err := a.tip(ctx, a.Base)
	if errors.Is(err, heal.ErrNotFound) {
		err = fault("there is no branch %q in repository %s", a.Base, a.Repository)
	}
	return tip, err
}

// tip is a branch's newest commit; heal.ErrNotFound if there is no such branch.
func (a *asking) tip(ctx context.Context, branch string) (string, error) {
	out, err := a.Client.GetBranch(ctx, &codecommit.GetBranchInput{RepositoryName: &a.Repository, BranchName: &branch})
	if none := (*types.BranchDoesNotExistException)(nil); errors.As(err, &none) {
		return "", heal.ErrNotFound
	}
	if err != nil {
		return "", a.refused(err)
	}
	return aws.ToString(out.Branch.CommitId), nil
}

// file is the policy file at a commit.
func (a *asking) file(ctx context.Context, commit string) (codehost.File, error) {
	out, err := a.Client.GetFile(ctx, &codecommit.GetFileInput{RepositoryName: &a.Repository, CommitSpecifier: &commit,
		FilePath: &a.Path})
	var none *types.FileDoesNotExistException
	var large *types.FileTooLargeException
	switch {
	case errors.As(err, &none):
		return codehost.File{}, nil
	case errors.As(err, &large), err == nil && out.FileSize > policyfile.MaxFile:
		return codehost.File{}, a.bad(fmt.Errorf("it has more than the %d bytes that are read of a policy", policyfile.MaxFile))
	case err != nil:
		return codehost.File{}, a.refused(err)
	case out.FileMode == types.FileModeTypeEnumSymlink:
		return codehost.File{}, fault("%s in repository %s is a symbolic link; name the file that it leads to", a.Path, a.Repository)
	}
	return codehost.File{ID: aws.ToString(out.BlobId), Mode: string(out.FileMode), Text: append([]byte{}, out.FileContent...)}, nil
}

// earlier is a request from the branch to the base, an open one first; nil if there is none.
func (a *asking) earlier(ctx context.Context) (*types.PullRequest, error) {
	for _, status := range []types.PullRequestStatusEnum{types.PullRequestStatusEnumOpen, types.PullRequestStatusEnumClosed} {
		pages := codecommit.NewListPullRequestsPaginator(a.Client, &codecommit.ListPullRequestsInput{RepositoryName: &a.Repository,
			PullRequestStatus: status})
		for read := 0; pages.HasMorePages() && read < maxRequests; {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, a.refused(err)
			}
			for _, id := range page.PullRequestIds {
				read++
				out, err := a.Client.GetPullRequest(ctx, &codecommit.GetPullRequestInput{PullRequestId: &id})
				if err != nil {
					return nil, a.refused(err)
				}
				if a.of(*out.PullRequest) {
					return out.PullRequest, nil
				}
			}
		}
	}
	return nil, nil
}

const heads = "refs/heads/"

func (a *asking) of(p types.PullRequest) bool {
	return slices.ContainsFunc(p.PullRequestTargets, func(t types.PullRequestTarget) bool {
		return aws.ToString(t.SourceReference) == heads+a.Branch && aws.ToString(t.DestinationReference) == heads+a.Base
	})
}

func merged(p types.PullRequest) bool {
	return slices.ContainsFunc(p.PullRequestTargets, func(t types.PullRequestTarget) bool {
		return t.MergeMetadata != nil && t.MergeMetadata.IsMerged
	})
}

// ask makes the branch, or brings it up to date, and the request of it.
func (a *asking) ask(ctx context.Context, tip string, was codehost.File, open *types.PullRequest) (codehost.Request, error) {
	head, err := a.tip(ctx, a.Branch)
	from, on := tip, was
	switch {
	case errors.Is(err, heal.ErrNotFound):
		_, err := a.Client.CreateBranch(ctx, &codecommit.CreateBranchInput{RepositoryName: &a.Repository, BranchName: &a.Branch,
			CommitId: &tip})
		if err != nil {
			return codehost.Request{}, a.refused(err)
		}
		head = tip
	case err != nil:
		return codehost.Request{}, err
	default:
		if on, err = a.file(ctx, head); err != nil {
			return codehost.Request{}, err
		}
		if from, err = a.mine(ctx, head, tip, on); err != nil {
			return codehost.Request{}, err
		}
		if from == "" {
			return a.result(codehost.Edited, open), nil
		}
		if from == head && head != tip { // made, and nothing put on it, before the base moved on
			_, err := a.Client.MergeBranchesByFastForward(ctx, &codecommit.MergeBranchesByFastForwardInput{
				RepositoryName: &a.Repository, SourceCommitSpecifier: &tip, DestinationCommitSpecifier: &head, TargetBranch: &a.Branch})
			if err != nil {
				return codehost.Request{}, a.refused(err)
			}
			head, from, on = tip, tip, was
		}
	}
	then := on
	if head != from {
		if then, err = a.file(ctx, from); err != nil {
			return codehost.Request{}, err
		}
	}
	_, more, err := policyfile.Add(on.Text, a.Statements)
	if err != nil {
		return codehost.Request{}, a.bad(err)
	}
	whole := codehost.Difference{Before: then.Text, After: on.Text}
	changed := len(more) > 0
	if changed {
		if then.ID != was.ID && head != from {
			return a.result(codehost.Behind, open), nil
		}
		n, err := a.Follow(then, then, on)
		if err != nil {
			return codehost.Request{}, a.bad(err)
		}
		if err := a.commit(ctx, head, from, on.Mode, n); err != nil {
			return codehost.Request{}, err
		}
		whole = n.Whole
	} else if whole.Added, err = codehost.Added(then.Text, on.Text); err != nil {
		return codehost.Request{}, a.bad(err)
	}
	return a.say(ctx, whole, open, changed)
}

// mine is the commit of the base that the branch began at; "" if not all of the branch is
// Buildmedic's: if a commit on the way to the base has no stamp, or if more than the file is other
// than at the base, or the file is other than the newest commit says. A branch on which there is
// nothing yet begins where it is.
func (a *asking) mine(ctx context.Context, head, tip string, on codehost.File) (from string, err error) {
	sha := head
	for range codehost.MaxChain {
		out, err := a.Client.GetCommit(ctx, &codecommit.GetCommitInput{RepositoryName: &a.Repository, CommitId: &sha})
		if err != nil {
			return "", a.refused(err)
		}
		s, ok := codehost.StampOf(aws.ToString(out.Commit.Message))
		switch {
		case !ok && sha == head:
			return a.bare(ctx, head, tip)
		case !ok, len(out.Commit.Parents) != 1, sha == head && s.Content != digest(on.Text):
			return "", nil
		}
		if sha = out.Commit.Parents[0]; sha == s.Base {
			alone, err := a.fileAlone(ctx, sha, head)
			if !alone {
				sha = ""
			}
			return sha, err
		}
	}
	return "", nil
}

// bare is the branch's commit if the base has it already.
func (a *asking) bare(ctx context.Context, head, tip string) (string, error) {
	if head == tip {
		return head, nil
	}
	out, err := a.Client.GetMergeOptions(ctx, &codecommit.GetMergeOptionsInput{RepositoryName: &a.Repository,
		SourceCommitSpecifier: &head, DestinationCommitSpecifier: &tip})
	if err != nil {
		return "", a.refused(err)
	}
	if aws.ToString(out.BaseCommitId) == head {
		return head, nil
	}
	return "", nil
}

// fileAlone reports whether two commits differ in the file alone.
func (a *asking) fileAlone(ctx context.Context, from, head string) (bool, error) {
	out, err := a.Client.GetDifferences(ctx, &codecommit.GetDifferencesInput{RepositoryName: &a.Repository,
		BeforeCommitSpecifier: &from, AfterCommitSpecifier: &head})
	if err != nil {
		return false, a.refused(err)
	}
	other := func(d types.Difference) bool {
		return d.AfterBlob == nil || aws.ToString(d.AfterBlob.Path) != a.Path
	}
	return out.NextToken == nil && !slices.ContainsFunc(out.Differences, other), nil
}

// commit puts the file on the branch, if its newest commit is still the one that was read.
func (a *asking) commit(ctx context.Context, head, from, mode string, n codehost.Next) error {
	m := types.FileModeTypeEnumNormal
	if mode != "" {
		m = types.FileModeTypeEnum(mode)
	}
	message := codehost.MessageOf(n.Added) + codehost.Stamp{Base: from, Content: digest(n.After)}.String()
	_, err := a.Client.CreateCommit(ctx, &codecommit.CreateCommitInput{RepositoryName: &a.Repository, BranchName: &a.Branch,
		ParentCommitId: &head, AuthorName: aws.String(author), CommitMessage: &message,
		PutFiles: []types.PutFileEntry{{FilePath: &a.Path, FileMode: m, FileContent: n.After}}})
	return a.refused(err)
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// say opens the request, or makes the open one say what it asks for now.
func (a *asking) say(ctx context.Context, whole codehost.Difference, open *types.PullRequest, changed bool) (codehost.Request, error) {
	title, text := a.Text(whole)
	body := codehost.Sealed(title, text)
	if open == nil {
		// The same token again means the same request, should the answer be lost.
		token := digest([]byte(a.Repository + " " + a.Branch))
		out, err := a.Client.CreatePullRequest(ctx, &codecommit.CreatePullRequestInput{Title: &title, Description: &body,
			ClientRequestToken: &token, Targets: []types.Target{{RepositoryName: &a.Repository, SourceReference: &a.Branch,
				DestinationReference: &a.Base}}})
		if err != nil {
			return codehost.Request{}, a.refused(err)
		}
		return a.result(codehost.Opened, out.PullRequest), nil
	}
	result := codehost.Waiting
	if old := aws.ToString(open.Description); old != body && codehost.Untouched(aws.ToString(open.Title), old) {
		result = codehost.Updated
		if aws.ToString(open.Title) != title {
			if _, err := a.Client.UpdatePullRequestTitle(ctx, &codecommit.UpdatePullRequestTitleInput{
				PullRequestId: open.PullRequestId, Title: &title}); err != nil {
				return codehost.Request{}, a.refused(err)
			}
		}
		if _, err := a.Client.UpdatePullRequestDescription(ctx, &codecommit.UpdatePullRequestDescriptionInput{
			PullRequestId: open.PullRequestId, Description: &body}); err != nil {
			return codehost.Request{}, a.refused(err)
		}
	}
	if changed {
		result = codehost.Updated
	}
	return a.result(result, open), nil
}

func (a *asking) result(r codehost.Result, p *types.PullRequest) codehost.Request {
	out := codehost.Request{Result: r, Branch: a.Branch}
	if p != nil {
		out.Number = aws.ToString(p.PullRequestId)
		out.URL = fmt.Sprintf("https://console.aws.amazon.com/codesuite/codecommit/repositories/%s/pull-requests/%s/details?region=%s",
			a.Repository, out.Number, a.Region)
	}
	return out
}

func fault(format string, args ...any) error {
	return heal.FaultError{Says: fmt.Sprintf(format, args...)}
}

// bad says what is wrong with the file.
func (a *asking) bad(err error) error {
	if err == nil {
		return nil
	}
	return fault("file %s of repository %s, branch %s, takes no statement: %v", a.Path, a.Repository, a.Base, err)
}

// Codes of errors, by what they mean. A code in none of them is final, or trouble of the service.
var (
	moved = []string{"BranchNameExistsException", "ParentCommitIdOutdatedException", "ConcurrentReferenceUpdateException",
		"IdempotencyParameterMismatchException", "TipOfSourceReferenceIsDifferentException"}
	later     = []string{"ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "EncryptionKeyUnavailableException"}
	key       = []string{"EncryptionKeyAccessDeniedException", "EncryptionKeyDisabledException", "EncryptionKeyNotFoundException"}
	wrongPath = []string{"FileNameConflictsWithDirectoryNameException", "DirectoryNameConflictsWithFileNameException",
		"FilePathConflictsWithSubmodulePathException", "PathDoesNotExistException", "InvalidPathException"}
)

// refused says what an error of CodeCommit means.
func (a *asking) refused(err error) error {
	var api smithy.APIError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &api):
		return fmt.Errorf("%w: asking CodeCommit about repository %s: %w", heal.ErrLater, a.Repository, err)
	}
	switch code := api.ErrorCode(); {
	case code == "AccessDeniedException", !ofCodeCommit(err):
		return err
	case slices.Contains(moved, code):
		return errMoved
	case slices.Contains(later, code), api.ErrorFault() == smithy.FaultServer:
		return fmt.Errorf("%w: CodeCommit answered %s", heal.ErrLater, code)
	case code == "RepositoryDoesNotExistException":
		return fault("there is no repository %s in CodeCommit in this account and region; if it was renamed, write its new name into "+
			"the settings", a.Repository)
	case slices.Contains(wrongPath, code):
		return fault("%s in repository %s is no place for a file: a folder, a file or a submodule stands in its way", a.Path, a.Repository)
	case slices.Contains(key, code):
		return fault("the key that repository %s is encrypted with cannot be used (%s: %s); let it be enabled, and its policy allow "+
			"the caller to encrypt and decrypt with it", a.Repository, code, api.ErrorMessage())
	default:
		return fmt.Errorf("%w: CodeCommit refuses it for repository %s (%s: %s)", heal.ErrFinal, a.Repository, code, api.ErrorMessage())
	}
}

// ofCodeCommit reports whether CodeCommit gave the error, and no service of which the credentials are.
func ofCodeCommit(err error) bool {
	service := ""
	for op := (*smithy.OperationError)(nil); errors.As(err, &op); err = op.Err {
		service = op.ServiceID
	}
	return service == codecommit.ServiceID
}
