// What the two provider plugins share. It is built only as a part of them; they pin the versions.
module vault-aws/tools/bridge

go 1.26

require (
	github.com/pulumi/pulumi-terraform-bridge/v3 v3.134.0
	github.com/pulumi/pulumi/pkg/v3 v3.251.0
	github.com/pulumi/pulumi/sdk/v3 v3.251.0
)
