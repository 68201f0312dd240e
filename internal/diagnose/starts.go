package diagnose

// StartQueueFull is the cause of a start that CodeBuild refused a pipeline since its queue was full: it is
// tried again later, and longer than other failures.
const StartQueueFull = "start-queue-full"

// StartPipelineRole is the cause of a start that the pipeline's own role may not make. Its details name the role,
// its account, the call and the project.
const StartPipelineRole = "start-pipeline-role"
