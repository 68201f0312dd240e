package diagnose

import (
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/buildmedic/buildmedic/internal/buildlog"
	"github.com/buildmedic/buildmedic/internal/lazyregexp"
)

// Which lines behind a claim say nothing new: those with which tools, runners and shells close; those
// that follow from the claim, since they are about the same thing or about what was not given; and a
// script's own last words, if all of them are known.

// closes reports whether the line with index i is one with which tools, runners and shells end.
func (x *facts) closes(i int) bool {
	return x.toolEnds(i) || x.raw.match(sameRun, i) && !x.rows.match(cliReports, i)
}

// toolEnds reports whether the line with index i is one with which tools, runners and shells end, whoever
// prints it.
func (x *facts) toolEnds(i int) bool {
	return x.rows.match(closing, i) && !x.notNpms(i) || x.rows.match(toolCloses, i)
}

// notNpms reports whether the line with index i has the words of a field of npm's errors, and is none: npm
// says its code first, and its paths are whole.
func (x *facts) notNpms(i int) bool {
	if !x.rows.match(npmField, i) {
		return false
	}
	for k := i; k >= 0 && k > i-maxRecord && x.rows.match(npmError, k); k-- {
		if x.rows.match(npmHead, k) {
			return x.rows.match(npmPath, i) && !x.rows.match(wholePath, i)
		}
	}
	return true
}

var (
	// npmScript begins npm's errors of a script, and npmOfAll matches a command that runs one in workspaces.
	npmScript = lazyregexp.New(`^npm (?:ERR!|error) Lifecycle script `)
	npmOfAll  = lazyregexp.New(`^\s*npm (?:[^;&|\n]* )?(?:--workspaces?|-ws?)\b[^;&|\n]*$`)
	npmError  = lazyregexp.New(`\bnpm (?:ERR!|error)(?: |$)`)
	npmHead   = lazyregexp.New(`\bnpm (?:ERR!|error) (?:code|Lifecycle script)\b`)
	npmField  = lazyregexp.New(`\bnpm (?:ERR!|error) (?:errno|path|location|command|network|syscall|workspace) `)
	npmPath   = lazyregexp.New(`\bnpm (?:ERR!|error) (?:path|location) `)
	wholePath = lazyregexp.New(`\b(?:path|location) (?:/|[A-Za-z]:\\|\\\\)`)
)

// follows reports whether the line with index i is a consequence of the claim: about the refusal or
// the same thing, or about what it did not give.
func (x *facts) follows(i int, w *weighing) bool {
	l := x.bare[i]
	return x.refuses(i) || x.saysItFailed(i, w) || x.failedCall(i, w) || w.reads && x.notGot(i, w) ||
		w.reads && (x.lacks(i, w) || strings.HasPrefix(l, "+ ")) || x.sameThing(i, w) && !x.rows.match(wrongWith, i)
}

// failedCall reports whether the line with index i only says that a call of the AWS CLI failed, in the
// words of a shell's trap or of Python, and it is the one that was refused.
func (x *facts) failedCall(i int, w *weighing) bool {
	m := failedCall.FindStringSubmatch(x.bare[i])
	if m == nil {
		return false
	}
	call := cliCall.FindStringSubmatch(unquote.Replace(m[1] + m[2]))
	if call == nil || strings.TrimSuffix(call[1], "api") != w.service || strings.Contains(m[1], "2>") {
		return false
	}
	// What another call says may be hidden: it must be about the same thing.
	thing := w.text[strings.LastIndexAny(w.text, " /:")+1:]
	if thing != "*" && (len(thing) < 2 || !slices.Contains(strings.FieldsFunc(x.bare[i], isNoName), thing)) {
		return false
	}
	return call[1] == "s3" || strings.Contains(lower(w.text), " "+strings.ReplaceAll(call[2], "-", "")+" operation: ")
}

var (
	foundErrors = lazyregexp.New(`^Found errors$`)
	// failedCall matches that a command failed: the command.
	failedCall = lazyregexp.New(`^(?i:\W*(?:error|failed|failure)\b[^:$|;&]{0,40}): (aws [^;&|` + "`" + `]*)$|` +
		`\bCalledProcessError: Command (?:'(\['aws', .*\])'|'aws [^;&|]*') returned non-zero exit status (?:1|25[2-5])\.$`)
	// cliCall matches a call of the AWS CLI: the service and the operation.
	cliCall = lazyregexp.New(`^aws (?:--[a-z-]+[ =]\S+ )*([a-z0-9-]+) ([a-z0-9-]+)\b`)
	unquote = strings.NewReplacer("[", "", "]", "", "'", "", ",", "")
)

// isNoName reports whether r is not part of a thing's name.
func isNoName(r rune) bool { return strings.ContainsRune(" '\"/:=,[]", r) }

// notGot reports whether the line with index i only says that what a refused call was to give was not
// read, and names it.
func (x *facts) notGot(i int, w *weighing) bool {
	m := notGot.FindStringSubmatch(x.bare[i])
	if m == nil {
		return false
	}
	before, ok := strings.CutSuffix(w.text, m[1])
	return ok && len(m[1]) >= minThing && (m[1][0] == '/' || strings.HasSuffix(before, "/") || strings.HasSuffix(before, ":"))
}

var notGot = lazyregexp.New(`^(?:[\w./-]+: )?(?i:(?:error|fatal): )?(?i:could not|couldn't|cannot|can't|unable to|failed to) ` +
	`(?:read|get|fetch|load|retrieve|obtain) (?:(?:the )?(?:parameter|secret) )?["'` + "`" + `]?(/?[\w./-]+?)["'` + "`" + `]?[.!]?$`)

// minThing is how long the name of a thing is, in bytes, that tells it from others.
const minThing = 4

// lacks reports whether the line with index i says that something is missing which a refused call may have
// been to give: a variable, what such values are called, or what has a word of the claim.
func (x *facts) lacks(i int, w *weighing) bool {
	if !x.rows.match(unfed, i) {
		return false
	}
	thing := x.bare[i]
	switch {
	case slices.Contains(valueServices, w.service) && x.rows.match(noFile, i): // such a call gives no file
		if x.rows.match(gapInPath, i) {
			return true
		}
	case !x.rows.match(emptyThing, i) || x.rows.match(givenThing, i):
		return true
	default:
		thing = emptyThing.FindStringSubmatch(thing)[1]
	}
	of := wordsIn(w.text)
	return slices.ContainsFunc(wordsIn(thing), func(word string) bool {
		return !closingWords()[word] && slices.ContainsFunc(of, func(s string) bool {
			return s == word || len(word) >= 4 && (strings.HasPrefix(s, word) || strings.HasPrefix(word, s) && len(s) >= 4)
		})
	})
}

// valueServices are those whose refused calls were to give a value.
var valueServices = []string{"ssm", "secretsmanager"}

var (
	// noFile matches what is said of a file that is not there, and gapInPath a path with a part that is empty.
	noFile    = lazyregexp.New(`(?i)no such file|ENOENT|FileNotFound`)
	gapInPath = lazyregexp.New(`//|[/_-]["'.\s]|[_-]/|/[_-]|''|""`)
	// emptyThing matches what is said to be empty, and givenThing names of what a call gives: a variable, or a
	// word for its value.
	emptyThing = lazyregexp.New(`(?i)^(.*)\b(?:is|was|are) (?:empty|not set|required|null|undefined)\b`)
	givenThing = lazyregexp.New(`\$\{?\w|\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|^\W*[A-Z][A-Z0-9]+\b|\bnull or not set|` +
		`: line \d+: \w+: |(?i:\b(?:values?|variables?|parameters?|arguments?|options?|outputs?|results?|responses?|answers?|strings?|` +
		`secrets?|passwords?|tokens?|keys?|ur[li]s?|hosts?|endpoints?|address(?:es)?|` +
		`versions?|tags?|digests?|ids?|arns?|credentials?|users?|config\w*|` +
		`settings?|inputs?|env\w*|region|account|DSN)\b)`)
)

// refuses reports whether the line with index i is about a refusal that AWS may have given: if it has a web
// address, one is AWS's.
func (x *facts) refuses(i int) bool {
	return x.rows.match(sameRefusal, i) && !x.rows.match(notAWS, i) &&
		(!x.rows.match(webAddress, i) || x.rows.match(hostOfAWS, i))
}

var (
	webAddress = lazyregexp.New(`https?://\w`)
	hostOfAWS  = lazyregexp.New(`\.amazonaws\.com\b|\.aws\.amazon\.com\b`)
)

// saysItFailed reports whether the line with index i says that what the claim is about failed, and
// gives no other reason.
func (x *facts) saysItFailed(i int, w *weighing) bool {
	if !x.rows.match(didNot, i) || x.rows.match(reason, i) || x.rows.match(absent, i) {
		return false
	}
	if m := didNotDo.FindStringSubmatch(x.bare[i]); m != nil && !closingWords()[lower(m[1])] &&
		!slices.ContainsFunc(w.about, func(s string) bool { return strings.HasPrefix(lower(m[1]), s[:4]) }) {
		return false // not what was asked of AWS: it was not approved, did not get healthy
	}
	return slices.ContainsFunc(wordsIn(x.bare[i]), func(word string) bool {
		return slices.ContainsFunc(w.about, func(s string) bool { return strings.HasPrefix(word, s) })
	})
}

// aboutWords are the words for what was denied, such as "address" of ec2:AllocateAddress, what the
// tool says that it did, and what the command is called.
func (x *facts) aboutWords(d *buildlog.Denial, i int) []string {
	_, name, _ := strings.Cut(d.Action, ":")
	list := append(wordsIn(name+" "+transfer.FindString(x.bare[i])), wordsIn(x.Command)...)
	return slices.DeleteFunc(list, func(s string) bool { return len(s) < 4 || slices.Contains(vague, s) })
}

// vague are words of commands that say nothing of what they do.
var vague = strings.Fields("test tests check checks lint build make exec bash python node script scripts main with")

// wordsOf are the words of the claim in the line with index i, and those of the command.
func (x *facts) wordsOf(i int, w *weighing) map[string]bool {
	known := map[string]bool{}
	for _, word := range wordsIn(x.Command) {
		known[word] = false // beside other words
	}
	text := w.text
	if !w.over {
		text += " " + x.bare[i]
	}
	for _, word := range wordsIn(text) {
		known[word] = true
	}
	return known
}

// wordsIn returns the words of a text in lower case, and the parts of such as PutObject. A single
// letter and what holds a digit is none.
func wordsIn(text string) []string {
	var list []string
	for _, f := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if len(f) < 2 || strings.IndexFunc(f, unicode.IsDigit) >= 0 {
			continue
		}
		list = append(list, lower(f))
		if parts := camelWord.FindAllString(f, -1); len(parts) > 1 {
			for _, part := range parts {
				list = append(list, lower(part))
			}
		}
	}
	return list
}

// nothingNew reports whether the line with index i has only words with which scripts close and
// those that are known, and not only the command's: a list of files is what a formatter finds.
func (x *facts) nothingNew(i int, known map[string]bool) bool {
	if x.strange == nil {
		x.strange = make([][]string, len(x.bare))
	}
	words := x.strange[i]
	if words == nil {
		words = []string{""}
		for _, w := range wordsIn(x.bare[i]) {
			if closingWords()[w] {
				words[0] = w
			} else {
				words = append(words, w)
			}
		}
		x.strange[i] = words
	}
	says := words[0] != "" || len(words) == 1 && strings.IndexFunc(x.bare[i], unicode.IsDigit) < 0
	if x.rows.match(counted, i) && !x.rows.match(didNot, i) {
		return false // how many there are is news
	}
	for _, w := range words[1:] {
		claims, ok := known[w]
		if !ok {
			return false
		}
		says = says || claims
	}
	return says
}

// closingWords are the words with which scripts and tools say that they end: grammar, failure and
// success, steps, advice, clean-up, time, and the same in short in other languages. No word names what
// else may be wrong.
var closingWords = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(`
an the this that these those it its of on in at to for from with by and or as if so not no was were is are be been being
has have had do did does can could cannot couldn will would should may might we you your our there here now then still only
out up down off because since due after before during while until nothing none any all some more most one other others another
each per see above below too also when where what how why which who both first next last same

fail failed fails failing failure failures error errors err fatal exit exits exited exiting code codes status signal
exception exceptions thread threads runtime
abort aborted aborting stop stopped stopping quit quitting die died dying bye give gives giving gave given end ended ending ends
terminated terminating kill killed broke broken unsuccessful unsuccessfully successful successfully success succeed succeeded
complete completed completing incomplete finish finished finishing done work worked works working skip skipped skipping
remaining rest left following follow follows attempt attempts try tries tried trying retry retries retrying again later

build builds job jobs step steps stage stages phase task tasks script command commands cmd run runs running ran pipeline
pipelines workflow target targets recipe process processes child program operation operations session action release released releasing
deploy deploys deployed deploying deployment deployments publish published publishing upload uploads uploaded uploading
push pushed pushing pull pulled pulling sync synced syncing copy copied copying transfer transferred rollout rolled rolling roll
create creates created creating creation update updates updated updating stack stacks resource resources could
rollback back revert reverted reverting undo undone changes

look looks ask contact help please rerun hint tip note info information warning details detail full log logs output trace stack
line lines fix permission permissions access denied continue verbose debug http https url

clean cleaned cleaning cleanup tidy tidied tidying remove removed removes removing delete deleted deleting deregistered
temporary temp tmp file files directory dir folder lock locks unlock unlocked close closed closing connection container containers
shut shutting drop dropped restore restored restoring notify notified notifying told sent posted

took takes total time times elapsed duration real user sys seconds second sec secs ms min mins minutes minute hours
wait waiting waited unfinished ok

fehler beim bei abbruch abgebrochen fehlgeschlagen gescheitert beendet beende schritt wurde wird der die das ist nicht und mit
erreur échec Échec échoué échouée arrêt abandon interrompu terminé étape le la les du de une est pas avec
fallo falló fallido abortado abortando cancelado terminado paso el los se ha con falha falhou encerrado etapa
errore fallito fallita interrotto terminato passo il è stato
エラー 失敗 失敗しました 中止 中止します 中止しました 終了 終了します 中断しました
错误 失败 退出 中止 终止 錯誤 오류 실패 중단 종료
ошибка Ошибка прервано Прервано завершено Завершено шаг не
`) {
		set[w] = true
	}
	return set
})

var (
	// taskLabel matches what a runner of tasks puts in front of each line of one of them, and dumpOpens
	// the frame behind which Node.js opens an error's fields.
	taskLabel = lazyregexp.New(`^@?[\w./-]+[:#][\w-]+: `)
	dumpOpens = lazyregexp.New(`^\s+at .*\{$`)
	// consoleName matches the name of a console command, with its options.
	consoleName = lazyregexp.New(`^\s*[\w-]+(?::[\w-]+)+(?: [\[<-].*)?$`)
	// chains matches the lines that join exceptions.
	chains = lazyregexp.New(`^(Caused by:|In \S+\.php line \d+:$|During handling|The above exception|` +
		`Exception ignored in|Suppressed:)|^\s*\[?cause\]?:|` +
		`End of inner exception`)
	// stackLine matches what belongs to a stack or a dump, boxes around a message, and decoration.
	stackLine = lazyregexp.New(`^\s*(at|in|from) \S.*[:(/]|` +
		`^\s*- \S+\.[cm]?[jt]s:\d+( \w+\.\S+)?$|^\s*\S+\.[cm]?[jt]s:\d+:\d+$|` +
		`^\s*File "|^Traceback|^goroutine |^\S+\.go:\d+ |^\s+\S+\.go:\d+|^main\.main\(|` +
		`^\d+\.\d+$|^Debug source:$|^[A-Z]\w+ \{$|^excon\.error\.(?:request|response)$|` +
		`^Node\.js v|^\s*\.\.\. \d+ (more|common)|^[│╷╵|}\])]|^\s*❯ |^\S+:\d+:in |\.rb:\d+:in |^\W*$|` +
		`^Stacktrace:$|^\s+\(\w+ [\d.]+\) \S+\.exs?:\d+: |^in expression starting at \S+:\d+$|^/?[\w@.-]+/[\w@./-]+:$|` +
		`^\s*>?\s*\d+ \| |^\s*\| +\^|^#\d+ (?:\S+\.(?:php|` +
		`phar)\S*\(\d+\): |\[internal function\]: |\{main\}$)`)
	// runnerClose matches what a runner says of a job right behind the output of that job.
	runnerClose = lazyregexp.New(`^g?make(\[\d+\])?: \*\*\* \[.*\] \pL+ \d+$`) // in the language of the user
	// buildStep matches a line of BuildKit's step, and stepFailed its end.
	buildStep  = lazyregexp.New(`^#(\d+) \d`)
	stepFailed = lazyregexp.New(`^#(\d+) ERROR: (process ".+)$`)
	// nodeFrame matches a frame of a stack of Node.js behind the name of the task that prints it.
	nodeFrame = lazyregexp.New(`^(?:\S+(?: \S+)?:|\[[\w.:@/-]+\])\s+at (?:.* \()?(?:file:|node:|/)\S+:\d+:\d+\)?$`)
	// closing matches the lines with which runners and shells end after an error, and advice.
	closing = lazyregexp.New(`^\s*(?:@?[\w./-]+[: ][\w-]+: )?(?:` + // behind the name of a task
		`g?make(?:\[\d+\])?: (?:\*\*\* \[.*\] |\*\*\* (?:Waiting for unfinished|Deleting )|Leaving|Entering|Target .* not remade|` +
		`\pL[^:*]*[„“«'` + "`" + `"‘]/[^:*]*$)|` +
		`(?:@?[\w./-]+: )?npm (?:ERR!|error)(?: (?:code (?:\d+|ELIFECYCLE|E403)|errno|path|location|command|network|syscall|` +
		`Lifecycle script|workspace|` +
		`Exit status|Failed at the|This is probably|A complete log|\S+@\S+ \S+:|` +
		`403 (?:403 Forbidden - \w+ https?://[\w.-]+\.amazonaws\.com/|In most|a package|on a server)).*)?$|npm (?:notice|warn|WARN)\b|` +
		`error Command failed|info (?:Visit|If you think)|E: Unable to fetch some|` +
		`lerna (?:(?:WARN|info) |ERR! (?:\S+ run \S+ (?:exited|std(?:out|err))\b|lifecycle \S+ errored|errno |Received non-zero|\W*$))|` +
		`(?:Tasks|Cached|Time): +\d|Failed: +\S+#\S+$|Failed tasks:$|NX +(?:Ran|Running) target|- [\w.@/-]+:[\w.-]+$|` +
		`parallel: This job|` +
		`(?:real|user|sys)\s+\d|\[\d+\][-+]?\s+(?:Exit|Done|Running|Killed)|% Total|\d+ +\d+ +\d+ +\d+ |` +
		`(?:Container|Network|Volume|Image) \S+\s+(?:(?:Re)?[Cc]reat|Start|Stop|Remov|Wait|Kill|Runn|Exit|Healthy|Buil|Pull)\w*$|` +
		`Aborting on container exit|FAILURE: Build failed with|` +
		`\* (?:What went wrong|Try|Get more help)|Execution failed for task|(?:> )?(?:Run with --|There were failing|Get more help)|` +
		`(?:> )?Process 'command '[^']*'' finished with non-zero exit value \d+$|` +
		`BUILD FAIL(?:ED|URE)?(?: in [\d.hms ]+| with an exception.*)?\W*$|\d+ actionable tasks?|note: run with|PLAY RECAP|rake aborted|` +
		`##\[(?:(?:end)?group|section|command|debug|warning)\]|##\[error\](?:Process completed\b|\W*$)|Tasks: TOP|\(See full trace|` +
		`(?:ELIFECYCLE\s+)?Command failed with (?:status|exit)|SLF4J|\++ (?:\w+=|(?:rm|kill|exit|trap|set|cd|popd|return|` +
		`false|cleanup|echo)\b)|` +
		`(?i:\W*(?:(?:hint|tip|resolution|help|see|view|visit|having any|was this|for (?:more|help)|please (?:see|try again))\b|` +
		`(?:please )?(?:ask|contact)\b.*\b(?:access|admin\w*|help|permissions?|policy|role|support)\b|` +
		`(?:run|use|check|refer to|read|consult)\b.*\bfor more (?:info\w*|details)\b)))|` +
		`\bexited (?:with|\(\d+\)|\d+ in)|\bDload\b|^Aborted \(core dumped\)$|received SIG|[Nn]o such process$|unreachable=\d`)
	// toolCloses matches what single tools print behind an error.
	toolCloses = lazyregexp.New(`^\s*(?:` +
		// AWS's SDKs, CloudFormation and the CDK; Changesets with npm's words
		`StatusCode: \d+|HostID:|\w{20,}=*,$|Failed resources:|‣ (?:AggregateError|DeploymentError)|` +
		`(?:(?:\W*(?:\S+|Building assets) failed: )?\w*Error: (?:Building Assets Failed: \w*Error: )?)?` +
		`Failed to (?:publish|build) (?:asset|one or more assets)|packages failed to publish:$|` +
		`In most cases, you or one of your dependencies are requesting|` +
		`(?:Error: )?Failed to create/update the stack|to fetch the list of events|Waiter \w+ failed|` +
		`aws cloudformation describe-stack-events|` +
		// Terraform, OpenTofu, SOPS, Packer
		`flag, but this is not|The error shown above|to the configured backend|to the file "errored|making it harder|To retry writing|` +
		`Error: Failed to persist state|Recovery failed because|order for SOPS|but none were|with \w+\.\w+|on \S+\.tf line \d|` +
		`\d+: (?:resource|data|module) "|` +
		// Pulumi, eksctl
		`(?:Diagnostics|Outputs|Resources):$|Duration: \d+[hms]|@ (?:updating|previewing|destroying)\.+$|` +
		`\[ℹ\] +\d+ error\(s\) occurred and |\[✖\] +waiter state transitioned to Failure$|` +
		`Error: failed to create (?:iamserviceaccount\(s\)|cluster|nodegroups?)[^:]*$|` +
		// Maven, Ansible, Chalice, Zappa, cargo-lambda
		`(?:\[ERROR\]\s+)?(?:After correcting the problems, you can resume|mvn <\w+> -rf :)|` +
		`\[ERROR\]\s*$|\[ERROR\] (?:To see the full|Re-run Maven|For more info|See |Failed to execute goal \S*(?:surefire|failsafe)|` +
		`\[Help \d|-> \[Help)|\[WARNING\] (?:NOTE: \d+ thread|thread |Couldn't destroy)|Origin: \S+:\d+|\d+ (?: |$)|\^ column|` +
		`Creating (?:deployment package|IAM role|lambda function|Rest API)|Updating policy for|` +
		`\W*YN\d{4}:\s+(?:Re(?:sponse|quest) \w+:|Failed with errors)|\(reached max retries|To fix this, see|Start a thread in)|` +
		`_(?:IN_PROGRESS|COMPLETE|FAILED)\b|end of JSON input|state lock|by multiple users at|most commands, you can|` +
		`for \S+: the request failed after \d|` +
		`apply" again at this|No AMIs to cleanup|executable aws failed with exit code|Some builds didn't complete|` +
		`Builds finished but|Wait completed|` +
		`\d+ deprecations? found: run 'serverless doctor'|` +
		// what tools say of a new version of themselves
		`(?:warning: |info: |\W*)?(?:A new (?:version|release) of \S+(?: \S+)? is available|\[notice\] |Update available\b|` +
		`[\w ]+ update available \(|New (?:major|minor|patch) version of \S+ available)|To download: https?://|` +
		`Run \S+ \S+ \S* ?to (?:update|upgrade)\b|` +
		// Python's warnings, CDK for Terraform
		`\S+:\d+: (?:\w*Deprecation|Resource|Future|User|Runtime)Warning: |` +
		`Invoking (?:Terraform|OpenTofu) CLI failed with exit code \d|\d+ Stacks? deploying +\d+ Stacks? failed|` +
		// cmd.exe, Composer, pnpm, Nox, Ant, Rush
		`[A-Z]:\\[^>]*>(?:if (?:not )?errorlevel |exit|goto |rem |endlocal|popd|cd )|` +
		`Script \S.* handling the \S+ event returned with error code \d+$|` +
		`ELIFECYCLE +Command failed|nox > (?:Session|Command) .* (?:failed|aborted)\b|\S+\.xml:\d+: exec returned: \d+$|` +
		`"[\w@/.-]+" failed to build\.$|` +
		// R, Nextflow, Prefect, Clojure
		`Execution halted$|Work dir:$|-- Check '\.nextflow\.log'|.* - Finished in state (?:Failed|Crashed)\(|Full report at:$|` +
		`/tmp/clojure-\d+\.edn$|` +
		// sbt, dbt; Collision, which shows PHP's exceptions
		`\[error\] Total time: \d|Done\. PASS=\d|\+\d+ vendor frames *$|\d+ +\S+\.php:\d+$|` +
		// Snakemake, DuckDB
		`Removing output files of failed job \S+ since they might be corrupted:$|Shutting down, this might take some time\.$|` +
		`Exiting because a job execution failed\.|\[\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}\]$|Complete log(?:\(s\))?: \S|` +
		`WorkflowError:$|At least one job did not complete successfully\.$|` +
		`Authentication Failure - this is usually caused by invalid or missing credentials\.$|` +
		`\* Credentials are provided, but they did not work\.$|` +
		// Terragrunt
		`(?:ERROR +)?(?:(?:terraform|tofu) invocation failed in |error occurred:$)|\d+ errors? occurred:$|` +
		`(?:ERROR +|\[\S+\] )?Module \S+ (?:has finished with an error|depends on module \S+, which finished)|` +
		`(?:\* )?(?:Cannot process module Module |Failed to execute "(?:terraform|tofu) )|` +
		`Unable to determine underlying exit|` +
		// pnpm, Task
		`^[\w@./-]+ [\w:.-]+: Failed$|ERR_PNPM_RECURSIVE_RUN_FIRST_FAIL|^task: Failed to run task "|` +
		// Cloud Custodian, concurrently, BuildKit
		`ERROR The following policies had errors while executing$|^--> Sending SIG\w+ to other processes|^(?i:\S*dockerfile\S*):\d+$`)
	// exceptionLine matches the place and the class of an exception, as a test's report has it.
	exceptionLine = lazyregexp.New(`^\S+:\d+: (\w+(?:Error|Exception))$`)
	// compares matches what a failed assertion says, in the report of a test.
	compares = lazyregexp.New(`\bAssertionError\b|ERR_ASSERTION|^\s*[-+] (?i:actual|expected|received)\b|^\s*Difference \(|` +
		`\bDocTestFailure\b|^\s*(?:Expected|Received|Got|got|want|Actual)\b`)
	// cliReports matches the AWS CLI's report of another error.
	cliReports = lazyregexp.New(`\bAn error occurred \(\w+\) when calling the \w+ operation`)
	// didNot matches that something failed, and reason that a line says why.
	didNot     = lazyregexp.New(`(?i)\b(fail(ed|s|ure)?|abort(ed)?|did not|didn't|was not|not \w+(ed|t|n)|unsuccessful)\b`)
	errorLabel = lazyregexp.New(`(?i)^[\w ]*\b(?:error|exception|failure): \S`)
	counted    = lazyregexp.New(`(?i)\b(?:has|have|had|is|are|was|were) (?:only |still )?\d+\b`)
	didNotDo   = lazyregexp.New(`(?i)\b(?:did not|didn't|was not|wasn't|were not|not) (?:be |get |yet )?(\w+)`)
	absent     = lazyregexp.New(`(?i)\b(?:does|did|do) not exist\b`)
	reason     = lazyregexp.New(`: \S+ \S`)
)
