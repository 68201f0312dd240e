#!/usr/bin/env bash
# An AWS SDK for Java v1 of 2019 (Maven com.amazonaws:aws-java-sdk-ecs 1.11.600) on Java 16 or later:
# it answers every error of a JSON service (ECS, ECR, SSM, Lambda, DynamoDB, …) with one sentence of its
# own, so the log of a denied call has the code, and neither who, nor which action, nor on what. It makes
# the exception by reflection in java.lang, which Java no longer allows, logs that at the level INFO, and
# goes on without the message. Services that speak XML (CloudFormation, S3) keep theirs.
#
# Output seen:
#   Unable to unmarshall exception response with the unmarshallers provided
#   (Service: AmazonECS; Status Code: 400; Error Code: AccessDeniedException; Request ID: r)
# in one line.
#
# Nothing leaves the machine after the installation: ECS is the script's own server. Needs a JDK, 16 or
# later, and mvn.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/src/main/java"
cat >"$work/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId>
  <artifactId>lost</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.source>11</maven.compiler.source>
    <maven.compiler.target>11</maven.compiler.target>
  </properties>
  <dependencies>
    <dependency><groupId>com.amazonaws</groupId><artifactId>aws-java-sdk-ecs</artifactId><version>1.11.600</version></dependency>
  </dependencies>
</project>
XML
cat >"$work/src/main/java/Main.java" <<'JAVA'
import com.amazonaws.AmazonServiceException;
import com.amazonaws.auth.*;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.ecs.*;
import com.amazonaws.services.ecs.model.UpdateServiceRequest;

public class Main {
  public static void main(String[] args) {
    AmazonECS ecs = AmazonECSClientBuilder.standard()
        .withCredentials(new AWSStaticCredentialsProvider(new BasicAWSCredentials("test", "test")))
        .withEndpointConfiguration(new EndpointConfiguration("http://127.0.0.1:" + args[0], "eu-west-1")).build();
    try {
      ecs.updateService(new UpdateServiceRequest().withService("web"));
    } catch (AmazonServiceException e) {
      System.out.println(e.getMessage());
    }
  }
}
JAVA
mvn -B -q -Dmaven.repo.local="$work/m2" -f "$work/pom.xml" compile dependency:copy-dependencies >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; exit 1; }

cat >"$work/ecs.py" <<'PY'
import http.server
class ECS(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b'{"__type":"AccessDeniedException","message":"User: me is not authorized to perform: ecs:UpdateService"}'
        self.send_response(400)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("x-amzn-RequestId", "r")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ECS)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
python3 "$work/ecs.py" >"$work/port" &
server=$!
for _ in $(seq 50); do test -s "$work/port" && break; sleep 0.1; done
seen=$(timeout 60 java -cp "$work/target/classes:$work/target/dependency/*" Main "$(cat "$work/port")" 2>/dev/null)
echo "$seen"
want='Unable to unmarshall exception response with the unmarshallers provided '
want+='(Service: AmazonECS; Status Code: 400; Error Code: AccessDeniedException; Request ID: r)'
test "$seen" = "$want" || { echo "CHANGED: expected" >&2; echo "$want" >&2; exit 1; }
