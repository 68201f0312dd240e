package codebuild

import "github.com/buildmedic/buildmedic/internal/lazyregexp"

// regionForm is that of all regions: where, what for, and the point of the compass. AWS opens new
// ones, so there is no list of them.
var regionForm = lazyregexp.New(`^([a-z]{2,4})-(?:(gov|iso[a-z]?)-|[a-z]{2}-)?` +
	`(?:north|south)?(?:east|west|central|north|south)-[0-9]{1,2}$`)

// PartitionOf is the partition of a region; "" if it has no region's form.
func PartitionOf(region string) string {
	m := regionForm.FindStringSubmatch(region)
	switch {
	case m == nil:
		return ""
	case m[1] == "cn":
		return "aws-cn"
	case m[1] == "eusc":
		return "aws-eusc"
	case m[2] == "gov":
		return "aws-us-gov"
	case len(m[2]) > len("iso"):
		return "aws-iso-" + m[2][len("iso"):]
	case m[2] == "iso":
		return "aws-iso"
	case len(m[1]) > 2:
		return ""
	}
	return "aws"
}
