package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// alarm is one thing that must not go unnoticed.
type alarm struct {
	id          string
	description string // what it means and what to do
	metric      awscloudwatch.IMetric
	over        float64 // it rings at or above this; silence is no reason
	periods     float64
}

// alarms ring on the same topic as the notices.
func (h *hub) alarms() []interfacesawscloudwatch.IAlarmRef {
	every := func(minutes float64, statistic string) *awscloudwatch.MetricOptions {
		return &awscloudwatch.MetricOptions{Period: awscdk.Duration_Minutes(jsii.Number(minutes)), Statistic: jsii.String(statistic)}
	}
	const lag = "has waited for three quarters of an hour, which is longer than one failed attempt and the longest " +
		"planned wait together."
	list := []alarm{
		{id: "DeadLettersAlarm", over: 1, periods: 1, metric: h.dead.MetricApproximateNumberOfMessagesVisible(every(5, "Maximum")),
			description: "A message could not be taken up five times over. Read it in the dead-letter queue and the " +
				"error in the log; once the cause is cured, redrive it."},
		{id: "LostEventsAlarm", over: 1, periods: 1, metric: h.lost.MetricApproximateNumberOfMessagesVisible(every(5, "Maximum")),
			description: "EventBridge could not deliver an event to a queue. The sweep finds the build within a " +
				"day; look at the policy of the rule's queue."},
		{id: "ErrorsAlarm", over: 1, periods: 1, metric: h.function.MetricErrors(every(5, "Sum")),
			description: "The function ended with an error or ran out of time. The log tells why."},
		{id: "ThrottlesAlarm", over: 1, periods: 3, metric: h.function.MetricThrottles(every(5, "Sum")),
			description: "The function is not given enough runs. Failures wait in the queue; nothing is lost."},
		{id: "BreakerAlarm", over: 1, periods: 1, metric: measure("Paused", "Sum", 5),
			description: "Too many grants had to be undone, and writing has stopped. Find out why, then send the command resume."},
		{id: "LagAlarm", over: 45 * 60, periods: 1, metric: h.queue.MetricApproximateAgeOfOldestMessage(every(5, "Maximum")),
			description: "A failed build " + lag},
		{id: "FollowUpsLagAlarm", over: 45 * 60, periods: 1,
			metric:      h.followUps.MetricApproximateAgeOfOldestMessage(every(5, "Maximum")),
			description: "What a case waits for " + lag},
		{id: "CuresLagAlarm", over: 45 * 60, periods: 1, metric: h.cures.MetricApproximateAgeOfOldestMessage(every(5, "Maximum")),
			description: "A case that was put off because many builds failed at once " + lag},
	}
	var rung []interfacesawscloudwatch.IAlarmRef
	for _, a := range list {
		made := awscloudwatch.NewAlarm(h.stack, jsii.String(a.id), &awscloudwatch.AlarmProps{
			AlarmDescription:   jsii.String(a.description),
			Metric:             a.metric,
			Threshold:          jsii.Number(a.over),
			EvaluationPeriods:  jsii.Number(a.periods),
			ComparisonOperator: awscloudwatch.ComparisonOperator_GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
			TreatMissingData:   awscloudwatch.TreatMissingData_NOT_BREACHING,
		})
		made.AddAlarmAction(awscloudwatchactions.NewSnsAction(h.topic))
		rung = append(rung, made)
	}
	return rung
}

// measure is one of the function's own metrics, over all projects.
func measure(name, statistic string, minutes float64) awscloudwatch.IMetric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{Namespace: jsii.String(namespace), MetricName: jsii.String(name),
		Statistic: jsii.String(statistic), Period: awscdk.Duration_Minutes(jsii.Number(minutes))})
}
