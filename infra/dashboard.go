package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawscloudwatch"
	"github.com/aws/jsii-runtime-go"
)

// dashboardName tells hubs of one account apart: dashboards know no region.
func dashboardName(h *hub) string { return "Buildmedic-" + *h.stack.Region() }

// dashboard is what the team looks at: first what happened to their builds,
// then how the healer itself is.
func (h *hub) dashboard(alarms []interfacesawscloudwatch.IAlarmRef) {
	d := awscloudwatch.NewDashboard(h.stack, jsii.String("Dashboard"), &awscloudwatch.DashboardProps{
		DashboardName: jsii.String(dashboardName(h)), DefaultInterval: awscdk.Duration_Days(jsii.Number(7)),
	})
	d.AddWidgets(
		graph("Failures by cause", 12, true, by("Failures", "Cause", "Sum")),
		graph("What became of them", 12, true, measure("Healed", "Sum", 60), measure("Reported", "Sum", 60), measure("Proposed", "Sum", 60),
			measure("Requested", "Sum", 60), measure("Undone", "Sum", 60), measure("Failed", "Sum", 60)),
	)
	d.AddWidgets(
		graph("Refused, by rule", 12, true, by("Refused", "Rule", "Sum")),
		graph("Time to heal, in seconds", 6, false, measure("TimeToHeal", "p50", 60), measure("TimeToHeal", "p90", 60)),
		graph("Rounds to heal", 6, false, measure("Rounds", "Average", 60), measure("Rounds", "Maximum", 60)),
	)
	d.AddWidgets(
		awscloudwatch.NewAlarmStatusWidget(&awscloudwatch.AlarmStatusWidgetProps{Alarms: &alarms,
			Title: jsii.String("Alarms"), Width: jsii.Number(6), Height: jsii.Number(6)}),
		graph("Waiting", 6, false, waiting("Failures", h.queue), waiting("Follow-ups", h.followUps), waiting("Cures", h.cures),
			h.followUps.MetricApproximateNumberOfMessagesDelayed(nil),
			h.queue.MetricApproximateNumberOfMessagesNotVisible(nil)),
		graph("The function", 6, false, h.function.MetricInvocations(nil), h.function.MetricErrors(nil), h.function.MetricThrottles(nil)),
		graph("Its running time, in milliseconds", 6, false,
			h.function.MetricDuration(&awscloudwatch.MetricOptions{Statistic: jsii.String("p90")})),
	)
}

// waiting is how many messages of a queue the function could take now.
func waiting(label string, q awssqs.Queue) awscloudwatch.IMetric {
	return q.MetricApproximateNumberOfMessagesVisible(&awscloudwatch.MetricOptions{Label: jsii.String(label)})
}

func graph(title string, width float64, stacked bool, lines ...awscloudwatch.IMetric) awscloudwatch.IWidget {
	return awscloudwatch.NewGraphWidget(&awscloudwatch.GraphWidgetProps{
		Title: jsii.String(title), Width: jsii.Number(width), Height: jsii.Number(6), Left: &lines, Stacked: jsii.Bool(stacked),
	})
}

// by is a metric split by a dimension, whose values are known only then.
func by(metric, dimension, statistic string) awscloudwatch.IMetric {
	return awscloudwatch.NewMathExpression(&awscloudwatch.MathExpressionProps{
		Expression: jsii.String(fmt.Sprintf(`SEARCH('{%s,%s} MetricName="%s"', '%s', 3600)`, namespace, dimension, metric, statistic)),
		Label:      jsii.String(""), Period: awscdk.Duration_Hours(jsii.Number(1)), UsingMetrics: &map[string]awscloudwatch.IMetric{},
	})
}
