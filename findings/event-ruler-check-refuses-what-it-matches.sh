#!/usr/bin/env bash
# AWS's event-ruler 2.0.1 (Maven software.amazon.event.ruler:event-ruler), the library of EventBridge's patterns.
#
# Its README has a section on checking a pattern, and names one way there: RuleCompiler.check, null if the
# pattern is valid; the machine is said to use this class itself. It does not: addRule compiles with
# JsonRuleCompiler. RuleCompiler has stayed behind, and calls invalid what the same README documents and the
# same jar matches: $or, and anything-but with a wildcard, or with several prefixes or suffixes. So a check
# before a deployment that follows the README refuses patterns that EventBridge takes. JsonRuleCompiler.check
# agrees with addRule. Version 1.8.1 does the same.
#
# Expected: valid, each time
# Seen on 30 November 2026 (JsonRuleCompiler: valid each time, and the machine matches):
#   {"status":["FAILED"]} -> valid
#   {"$or":[{"status":["FAULT"]},{"phase":["BUILD"]}]} -> Unrecognized match type status
#   {"status":[{"anything-but":{"wildcard":"S*ED"}}]} -> Unsupported anything-but pattern: wildcard
#   {"status":[{"anything-but":{"prefix":["SUC","IN_"]}}]} -> prefix/suffix match pattern must be a string
#
# Needs a JDK, 17 or later, and mvn.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId>
  <artifactId>check</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>software.amazon.event.ruler</groupId><artifactId>event-ruler</artifactId><version>2.0.1</version></dependency>
  </dependencies>
</project>
XML
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies -DoutputDirectory=lib >mvn.log || { cat mvn.log >&2; exit 2; }
cat > Check.java <<'JAVA'
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;
import software.amazon.event.ruler.RuleCompiler;

class Check {
    public static void main(String[] args) throws Exception {
        String event = "{\"status\":\"FAILED\",\"phase\":\"BUILD\"}";
        for (String pattern : new String[] {
            "{\"status\":[\"FAILED\"]}",
            "{\"$or\":[{\"status\":[\"FAULT\"]},{\"phase\":[\"BUILD\"]}]}",
            "{\"status\":[{\"anything-but\":{\"wildcard\":\"S*ED\"}}]}",
            "{\"status\":[{\"anything-but\":{\"prefix\":[\"SUC\",\"IN_\"]}}]}"}) {
            Machine machine = new Machine();
            machine.addRule("rule", pattern);
            if (JsonRuleCompiler.check(pattern) != null || machine.rulesForJSONEvent(event).isEmpty()) {
                System.out.println(pattern + " is not taken by addRule's own compiler, or does not match");
            }
            String wrong = RuleCompiler.check(pattern);
            System.out.println(pattern + " -> " + (wrong == null ? "valid" : wrong.split("\n")[0]));
        }
    }
}
JAVA
seen=$(java -cp 'lib/*' Check.java 2>java.log) || { cat java.log >&2; exit 2; }
echo "$seen"
want='{"status":["FAILED"]} -> valid
{"$or":[{"status":["FAULT"]},{"phase":["BUILD"]}]} -> Unrecognized match type status
{"status":[{"anything-but":{"wildcard":"S*ED"}}]} -> Unsupported anything-but pattern: wildcard
{"status":[{"anything-but":{"prefix":["SUC","IN_"]}}]} -> prefix/suffix match pattern must be a string'
test "$seen" = "$want" || { echo "CHANGED: expected" >&2; echo "$want" >&2; exit 1; }
