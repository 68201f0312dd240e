#!/usr/bin/env bash
# The AWS SDK for Java v1 (Maven com.amazonaws:aws-java-sdk-s3 1.12.797): of an S3 error's message it
# keeps only what follows the last XML entity. A key with an ampersand is enough, which S3 has to
# write as &amp;: of "User: … is not authorized to perform: s3:PutObject on resource: "…/a&amp;b.zip"
# because no identity-based policy allows …", principal and resource are gone, and so is the sentence
# that says what it is. Version 2 keeps the whole. (S3ErrorResponseHandler overwrites its text with
# each CHARACTERS event of the XML reader, which gives one event on each side of an entity.)
#
# Output seen:
#   plain: start kk end
#   entity: b end
#
# Nothing leaves the machine after the installation: S3 is the script's own server. Needs a JDK and mvn.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$work/src/main/java"
cat >"$work/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId>
  <artifactId>cut</artifactId>
  <version>1</version>
  <properties>
    <maven.compiler.source>11</maven.compiler.source>
    <maven.compiler.target>11</maven.compiler.target>
  </properties>
  <dependencies>
    <dependency><groupId>com.amazonaws</groupId><artifactId>aws-java-sdk-s3</artifactId><version>1.12.797</version></dependency>
  </dependencies>
</project>
XML
cat >"$work/src/main/java/Main.java" <<'JAVA'
import com.amazonaws.auth.*;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.s3.*;
import com.amazonaws.services.s3.model.AmazonS3Exception;

public class Main {
  public static void main(String[] args) {
    AmazonS3 s3 = AmazonS3ClientBuilder.standard().withPathStyleAccessEnabled(true)
        .withCredentials(new AWSStaticCredentialsProvider(new BasicAWSCredentials("test", "test")))
        .withEndpointConfiguration(new EndpointConfiguration("http://127.0.0.1:" + args[0], "eu-west-1")).build();
    for (String key : new String[] {"plain", "entity"}) {
      try {
        s3.putObject("shop", key, "x");
      } catch (AmazonS3Exception e) {
        System.out.println(key + ": " + e.getErrorMessage());
      }
    }
  }
}
JAVA
mvn -B -q -Dmaven.repo.local="$work/m2" -f "$work/pom.xml" compile dependency:copy-dependencies >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; exit 1; }

cat >"$work/s3.py" <<'PY'
import http.server
class S3(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key = "k&amp;b" if "entity" in self.path else "kk"
        body = f"<Error><Code>AccessDenied</Code><Message>start {key} end</Message></Error>".encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), S3)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
python3 "$work/s3.py" >"$work/port" &
server=$!
for _ in $(seq 50); do test -s "$work/port" && break; sleep 0.1; done
seen=$(timeout 60 java -cp "$work/target/classes:$work/target/dependency/*" Main "$(cat "$work/port")" 2>/dev/null)
echo "$seen"
want='plain: start kk end
entity: b end'
test "$seen" = "$want" || { echo "CHANGED: expected" >&2; echo "$want" >&2; exit 1; }
