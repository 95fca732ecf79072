// Command pulumi-resource-aws is the Pulumi provider plugin for AWS, with the resources that this project uses.
//
// It serves an older Terraform provider than the official plugin of the same version; tokens and property names are
// those of the Python package pulumi_aws, of which it knows fewer properties.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/terraform-providers/terraform-provider-aws/aws"

	"vault-aws/tools/bridge"
)

// version is set by the linker: the release of pulumi_aws that this stands in for. The engine compares it
// with the version that the Python package asks for.
var version = "0.0.0"

func resource(module, name string) *tfbridge.ResourceInfo {
	return bridge.Resource("aws", module, name)
}

func function(module, name string) *tfbridge.DataSourceInfo {
	return bridge.Function("aws", module, name)
}

func main() {
	upstream := aws.Provider()
	// Official plugins of this version do not ask EC2 for a region's platforms when they start. Without this one would,
	// and would hang for a while wherever there is no EC2 to answer.
	upstream.Schema["skip_get_ec2_platforms"].Default = true

	info := tfbridge.ProviderInfo{
		P:              shimv2.NewProvider(upstream),
		Name:           "aws",
		Version:        version,
		ResourcePrefix: "aws",
		Config: map[string]*tfbridge.SchemaInfo{
			"access_key": {Secret: tfbridge.True()},
			"assume_role": {
				Name:        "assumeRoles",
				MaxItemsOne: tfbridge.False(),
				Elem:        &tfbridge.SchemaInfo{Fields: map[string]*tfbridge.SchemaInfo{"duration_seconds": {Omit: true}}},
			},
			"region":                  {Default: &tfbridge.DefaultInfo{EnvVars: []string{"AWS_REGION", "AWS_DEFAULT_REGION"}}},
			"s3_force_path_style":     {Name: "s3UsePathStyle"},
			"secret_key":              {Secret: tfbridge.True()},
			"shared_credentials_file": {Omit: true},
			"skip_get_ec2_platforms":  {Omit: true},
			"skip_region_validation":  {Default: &tfbridge.DefaultInfo{Value: true}},
			"token":                   {Secret: tfbridge.True()},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"aws_cloudwatch_event_rule":       resource("cloudwatch", "EventRule"),
			"aws_cloudwatch_event_target":     resource("cloudwatch", "EventTarget"),
			"aws_iam_access_key":              resource("iam", "AccessKey"),
			"aws_iam_openid_connect_provider": resource("iam", "OpenIdConnectProvider"),
			"aws_iam_policy":                  resource("iam", "Policy"),
			"aws_iam_role":                    resource("iam", "Role"),
			"aws_iam_role_policy":             resource("iam", "RolePolicy"),
			"aws_iam_user":                    resource("iam", "User"),
			"aws_iam_user_policy_attachment":  resource("iam", "UserPolicyAttachment"),
			"aws_sns_topic":                   resource("sns", "Topic"),
			"aws_sns_topic_policy":            resource("sns", "TopicPolicy"),
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"aws_caller_identity": function("index", "getCallerIdentity"),
		},
	}
	for name, mapped := range info.Resources {
		// The tags that a resource has once those of the provider's configuration are added are an output.
		if _, ok := upstream.ResourcesMap[name].Schema["tags_all"]; ok {
			mapped.Fields = map[string]*tfbridge.SchemaInfo{"tags_all": {MarkAsComputedOnly: tfbridge.True()}}
		}
	}
	// AWS needs no thumbprints of an issuer any more, and the Python package asks for none.
	issuer := info.Resources["aws_iam_openid_connect_provider"]
	issuer.Fields["thumbprint_list"] = &tfbridge.SchemaInfo{MarkAsOptional: tfbridge.True()}
	bridge.Main(info)
}
