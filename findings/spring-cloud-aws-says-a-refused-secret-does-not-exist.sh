#!/usr/bin/env bash
# What a Spring Boot program prints when it may not read its settings (Maven Central
# io.awspring.cloud:spring-cloud-aws-starter-secrets-manager and …-parameter-store 3.3.0, Spring Boot
# 3.4.1).
#
# With spring.config.import=aws-secretsmanager:shop/db, whatever AWS answers but the secret becomes a
# ConfigDataResourceNotFoundException, and Spring Boot's report of that leaves its cause out. So a role
# that lacks secretsmanager:GetSecretValue, and a secret that is not there, end in the same text: "does
# not exist", with the advice to check the name or to prefix it with 'optional:', with which the
# program would start without its password. The same with aws-parameterstore: and ssm:GetParametersByPath.
# AccessDenied, the action and the role are nowhere in the log.
#
# Expected:                           the refusal, or at least "cannot be read"
# Seen on 1 December 2026:
#   secret, AccessDeniedException     does not exist; nothing of the refusal
#   secret, ResourceNotFoundException does not exist
#   parameters, AccessDeniedException does not exist; nothing of the refusal
# It needs Java 17 and Maven. Nothing leaves this machine but what fetches the packages.
set -euo pipefail

work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
mkdir -p src/main/java/shop
cat >pom.xml <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>shop</groupId><artifactId>shop</artifactId><version>1</version>
  <properties><maven.compiler.source>17</maven.compiler.source><maven.compiler.target>17</maven.compiler.target></properties>
  <dependencies>
    <dependency><groupId>io.awspring.cloud</groupId><artifactId>spring-cloud-aws-starter-secrets-manager</artifactId><version>3.3.0</version></dependency>
    <dependency><groupId>io.awspring.cloud</groupId><artifactId>spring-cloud-aws-starter-parameter-store</artifactId><version>3.3.0</version></dependency>
    <dependency><groupId>org.springframework.boot</groupId><artifactId>spring-boot-starter</artifactId><version>3.4.1</version></dependency>
  </dependencies>
</project>
XML
cat >src/main/java/shop/App.java <<'JAVA'
package shop;

@org.springframework.boot.autoconfigure.SpringBootApplication
public class App {
  public static void main(String[] args) { org.springframework.boot.SpringApplication.run(App.class, args); }
}
JAVA
mvn -B -q compile dependency:copy-dependencies >/dev/null

cat >server.py <<'PY'
import http.server, json, sys
class AWS(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        code, message = "AccessDeniedException", ("User: arn:aws:sts::111122223333:assumed-role/codebuild-shop/build is not authorized to "
            "perform: secretsmanager:GetSecretValue because no identity-based policy allows the action")
        if open("mode").read().strip() == "missing":
            code, message = "ResourceNotFoundException", "Secrets Manager can't find the specified secret."
        body = json.dumps({"__type": code, "message": message}).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), AWS)
print(server.server_address[1], flush=True)
server.serve_forever()
PY
echo denied >mode
python3 server.py >port &
server=$!
for _ in $(seq 100); do test -s port && break; sleep 0.1; done

export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=example AWS_REGION=eu-west-1
try() {
	local name=$1 status=0
	echo "$2" >mode
	java -cp 'target/classes:target/dependency/*' shop.App --spring.config.import="$3" \
		--spring.cloud.aws.endpoint="http://127.0.0.1:$(cat port)" >out 2>&1 || status=$?
	echo "$name: exit $status," "$(grep -o 'does not exist' out | head -1)," \
		"$(grep -qiE 'denied|authorized|GetSecretValue|GetParameters|codebuild-shop' out && echo 'says that it was refused' || echo 'nothing of a refusal')"
}
{
	try "secret refused" denied aws-secretsmanager:shop/db
	try "secret missing" missing aws-secretsmanager:shop/db
	try "parameters refused" denied aws-parameterstore:/shop/
} | tee seen

diff seen - <<'OUT'
secret refused: exit 1, does not exist, nothing of a refusal
secret missing: exit 1, does not exist, nothing of a refusal
parameters refused: exit 1, does not exist, nothing of a refusal
OUT
