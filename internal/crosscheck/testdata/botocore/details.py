"""Reads the record of a denied request with the AWS SDK for Python, as its model of the service says.

details.py ENDPOINT REGION ID prints the answer as JSON, or the error's code.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, region, request = sys.argv[1:]
client = boto3.client(
    "iam-toolbox", endpoint_url=endpoint, region_name=region, aws_access_key_id="ASIASIMULATEDFUNCTION",
    aws_secret_access_key="simulated", config=Config(retries={"total_max_attempts": 1}))
try:
    pages = client.get_paginator("get_request_authorization_details").paginate(authorizationId=request)
    evaluations, first = [], None
    for page in pages:
        first = first or page
        evaluations += page["evaluations"]
    print(json.dumps({"context": first["requestContext"], "evaluations": evaluations}, default=str))
except ClientError as e:
    print(json.dumps({"error": e.response["Error"]["Code"]}))
