"""The actions by which a credential gets more than its policy says, or lets others have it.

Sources: "IAM privilege escalation methods" of Rhino Security Labs
(https://rhinosecuritylabs.com/aws/aws-privilege-escalation-methods-mitigation/), https://pathfinding.cloud, and
the lists of cloudsplaining, against which a test holds these.
"""

OWN_RIGHTS = (
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:CreateServiceSpecificCredential",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:ResetServiceSpecificCredential",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAccessKey",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
)
"""Each changes what an identity may do, or makes a credential of one; it is too much on any resource."""

RIGHTS_OF_OTHERS = (
    ("bedrock-agentcore:InvokeCodeInterpreter",),
    ("cloudformation:ExecuteChangeSet",),
    ("cloudformation:UpdateStack",),
    ("codebuild:StartBuild",),
    ("codebuild:StartBuildBatch",),
    ("ec2-instance-connect:SendSSHPublicKey",),
    ("ec2-instance-connect:SendSerialConsoleSSHPublicKey",),
    ("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"),
    ("ec2:ModifyInstanceAttribute", "ec2:StartInstances"),
    ("ecs:ExecuteCommand",),
    ("glue:UpdateDevEndpoint",),
    ("lambda:UpdateFunctionCode",),
    ("sagemaker:CreatePresignedNotebookInstanceUrl",),
    ("sagemaker:StartNotebookInstance", "sagemaker:UpdateNotebookInstance"),
    ("ssm:SendCommand",),
    ("ssm:StartSession",),
    ("sts:AssumeRole",),
)
"""Each set runs code, or a session, with the role of something that exists; it is too much on every resource."""

PASS_ROLE = "iam:PassRole"  # noqa: S105 - an action
"""Gives a role to a service that then acts with it."""

READS_OF_DATA = (
    "athena:GetQueryResults",
    "dynamodb:BatchGetItem",
    "dynamodb:ExportTableToPointInTime",
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "ec2:GetPasswordData",
    "kinesis:GetRecords",
    "kms:Decrypt",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "rds-db:connect",
    "rds:CopyDBSnapshot",
    "redshift:GetClusterCredentials",
    "redshift:GetClusterCredentialsWithIAM",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "secretsmanager:GetSecretValue",
    "sqs:ReceiveMessage",
    "ssm:GetParameter",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
)
"""Each hands out data, a secret or a password; it is too much on every resource."""
