/* objects: emulator/lab/check.o emulator/lab/cidr_function.o emulator/lab/dynamic.o emulator/lab/evaluate.o emulator/lab/evaluation.o emulator/lab/functions.o emulator/lab/intrinsic.o emulator/lab/lines.o emulator/lab/node.o emulator/lab/node_json.o emulator/lab/node_yaml.o emulator/lab/order.o emulator/lab/parameters.o emulator/lab/pattern.o emulator/lab/place.o emulator/lab/resources.o emulator/lab/rules.o emulator/lab/sections.o emulator/lab/substitute.o emulator/lab/template.o emulator/lab/values.o emulator/base/base64.o emulator/base/cidr.o emulator/base/id.o emulator/base/error.o emulator/base/text.o emulator/base/buffer.o emulator/base/util.o */
/* libs: yaml-0.1 jansson nettle */
/* Templates: what is refused, with its words and its line; what values come out; what is left out.
 */
#include "answers.h"
#include "cpu.h"
#include "types.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct template_options strict = { false }, skipping = { true };

static struct template *read_template(const char *text, const struct template_options *options,
				      struct text_lines *warnings)
{
	struct template *template = NULL;
	struct error error = ERROR_INIT;

	if (template_parse(text, strlen(text), options, &template, warnings, &error) < 0)
		fail_msg("%s\n%s", text, error.text);
	/* cppcheck-suppress CastIntegerToAddressAtReturn ; "template" is a word of C++ */
	return template;
}

/* A stack of it with these values; the template must outlive it. */
static struct evaluation *open_evaluation(const struct template *template,
					  const struct template_value *given, size_t count)
{
	CLEANUP(template_values_clear) struct template_values values = { NULL, 0 };
	struct evaluation *evaluation = NULL;
	struct error error = ERROR_INIT;

	if (template_check_values(template, &answers, given, count, &values, &error) < 0 ||
	    evaluation_open(template, &values, &answers, &evaluation, &error) < 0)
		fail_msg("%s", error.text);
	return evaluation;
}

static char *json_of(const struct node *node)
{
	struct buffer json = BUFFER_INIT;

	node_json(node, &json);
	return buffer_steal(&json);
}

/* ---- functions ---- */

/* A property's value in a template that has something of everything. */
#define FRAME                                                                                      \
	"Parameters:\n"                                                                            \
	"  One: {Type: String, Default: '1'}\n"                                                    \
	"  Text: {Type: String, Default: word}\n"                                                  \
	"  Empty: {Type: String, Default: ''}\n"                                                   \
	"  List: {Type: CommaDelimitedList, Default: 'a, b ,c'}\n"                                 \
	"  Numbers: {Type: List<Number>, Default: '1,2.5'}\n"                                      \
	"  None: {Type: CommaDelimitedList, Default: ''}\n"                                        \
	"  Image: {Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: /ami}\n"      \
	"  Stored: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: /list}\n"           \
	"  Refers: {Type: String, Default: '{{resolve:ssm:/ami}}'}\n"                              \
	"Mappings:\n"                                                                              \
	"  Regions:\n"                                                                             \
	"    us-east-1: {Image: ami-1, Zones: [x, y], Next: Other}\n"                              \
	"  Other: {key: {value: deep}}\n"                                                          \
	"Conditions:\n"                                                                            \
	"  No: !Not [!Condition Yes]\n"                                                            \
	"  Yes: !Equals [!Ref Text, word]\n"                                                       \
	"  Both: !And [!Condition Yes, {Condition: No}]\n"                                         \
	"  Either: {'Fn::Or': [{Condition: No}, !Condition Yes]}\n"                                \
	"  Mapped: !Equals [!FindInMap [Regions, !Ref AWS::Region, Image], !Sub 'ami-${One}']\n"   \
	"Resources:\n"                                                                             \
	"  Vpc: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}\n"                   \
	"  Gone: {Type: 'AWS::EC2::VPC', Condition: No, Properties: {CidrBlock: 10.0.0.0/16}}\n"   \
	"  It:\n"                                                                                  \
	"    Type: AWS::EC2::VPC\n"                                                                \
	"    Properties:\n"                                                                        \
	"      CidrBlock: 10.1.0.0/16\n"                                                           \
	"      Tags: "

static int evaluate_frame(const char *value, struct node **ret_properties, struct error *error)
{
	CLEANUP(template_freep) struct template *template = NULL;
	CLEANUP(evaluation_freep) struct evaluation *evaluation = NULL;
	CLEANUP(freep) char *text = xasprintf("%s%s\n", FRAME, value);
	int result = template_parse(text, strlen(text), &strict, &template, NULL, error);

	if (result < 0)
		return result;
	evaluation = open_evaluation(template, NULL, 0);
	return evaluation_properties(evaluation, template_resource_at(template, 2), ret_properties,
				     error);
}

static void test_functions(void **state)
{
	static const struct {
		const char *value, *json; /* json NULL: the property isn't there */
	} rows[] = {
		{ "plain", "\"plain\"" },
		{ "[{Key: a, Value: 1}]", "[{\"Key\":\"a\",\"Value\":\"1\"}]" },
		{ "{Ref: {a: b}, c: d}", "{\"Ref\":{\"a\":\"b\"},\"c\":\"d\"}" },
		{ "{Condition: {StringEquals: x}}", "{\"Condition\":{\"StringEquals\":\"x\"}}" },
		/* Ref */
		{ "!Ref Text", "\"word\"" },
		{ "!Ref List", "[\"a\",\"b\",\"c\"]" },
		{ "!Ref Numbers", "[\"1\",\"2.5\"]" },
		{ "!Ref None", "[]" },
		{ "!Ref Image", "\"ami-0123456789abcdef0\"" },
		{ "!Ref Stored", "[\"x\",\"y\"]" },
		{ "!Ref Vpc", "\"Vpc-id\"" },
		{ "[!Ref AWS::AccountId, !Ref 'AWS::Partition', {Ref: 'AWS::Region'}]",
		  "[\"123456789012\",\"aws\",\"us-east-1\"]" },
		{ "[!Ref AWS::StackName, !Ref AWS::StackId, !Ref AWS::URLSuffix]",
		  "[\"lab\",\"arn:aws:cloudformation:us-east-1:123456789012:stack/lab/1\","
		  "\"amazonaws.com\"]" },
		{ "!Ref AWS::NotificationARNs", "[]" },
		{ "!Ref AWS::NoValue", NULL },
		{ "[a, !Ref AWS::NoValue, {b: !Ref AWS::NoValue, c: d}]", "[\"a\",{\"c\":\"d\"}]" },
		/* Fn::GetAtt */
		{ "!GetAtt Vpc.DefaultSecurityGroup", "\"Vpc-DefaultSecurityGroup\"" },
		{ "{'Fn::GetAtt': [Vpc, VpcId]}", "\"Vpc-VpcId\"" },
		{ "{'Fn::GetAtt': Vpc.VpcId}", "\"Vpc-VpcId\"" },
		{ "!GetAtt [Vpc, !Join ['', [Vpc, Id]]]", "\"Vpc-VpcId\"" },
		{ "!GetAtt Vpc.Ipv6CidrBlocks", "[\"2001:db8:1:ff00::/56\"]" },
		/* Fn::Sub */
		{ "!Sub 'a${Text}b${AWS::Region}c${Vpc}d${Vpc.VpcId}'",
		  "\"awordbus-east-1cVpc-iddVpc-VpcId\"" },
		{ "!Sub ['${a}${Text}${a}', {a: !Ref Vpc, unused: x}]", "\"Vpc-idwordVpc-id\"" },
		{ "!Sub '${!Text} $Text ${!a}$ $$ {b} ${'", "\"${Text} $Text ${a}$ $$ {b} ${\"" },
		{ "!Sub ''", "\"\"" },
		{ "!Sub '${!'", "\"${\"" },
		{ "!Sub ['${x.y}', {x.y: z}]", "\"z\"" },
		/* Fn::Join, Fn::Split, Fn::Select */
		{ "!Join ['-', [a, !Ref Text, !GetAtt Vpc.VpcId]]", "\"a-word-Vpc-VpcId\"" },
		{ "!Join ['', !Ref List]", "\"abc\"" },
		{ "!Join [',', !GetAZs '']", "\"us-east-1a,us-east-1b,us-east-1c\"" },
		{ "!Join [',', [a, !Ref AWS::NoValue, b]]", "\"a,b\"" },
		{ "!Join [',', []]", "\"\"" },
		{ "!Split ['|', 'a||b|']", "[\"a\",\"\",\"b\",\"\"]" },
		{ "!Split [',', !Join [',', !Ref List]]", "[\"a\",\"b\",\"c\"]" },
		{ "!Split [ab, xaby]", "[\"x\",\"y\"]" },
		{ "!Split [none, x]", "[\"x\"]" },
		{ "!Select [1, [a, b]]", "\"b\"" },
		{ "!Select ['0', !Ref List]", "\"a\"" },
		{ "!Select [!Ref One, !Split ['.', 'a.b']]", "\"b\"" },
		{ "!Select [0, [{a: b}]]", "{\"a\":\"b\"}" },
		{ "!Select [2, !GetAZs {Ref: 'AWS::Region'}]", "\"us-east-1c\"" },
		/* Fn::GetAZs, Fn::Cidr */
		{ "!GetAZs eu-west-1", "[\"eu-west-1a\",\"eu-west-1b\",\"eu-west-1c\"]" },
		{ "!GetAZs", "[\"us-east-1a\",\"us-east-1b\",\"us-east-1c\"]" },
		{ "!Cidr [!GetAtt Vpc.CidrBlock, 3, 8]",
		  "[\"10.0.0.0/24\",\"10.0.1.0/24\",\"10.0.2.0/24\"]" },
		{ "!Cidr [192.168.7.9/24, 4, 6]",
		  "[\"192.168.7.0/26\",\"192.168.7.64/26\",\"192.168.7.128/26\",\"192.168.7.192/"
		  "26\"]" },
		{ "!Cidr [10.0.254.0/23, 1, 9]", "[\"10.0.254.0/23\"]" },
		{ "!Cidr [10.0.0.0/8, '2', '23']", "[\"10.0.0.0/9\",\"10.128.0.0/9\"]" },
		{ "!Cidr [0.0.0.0/0, 1, 32]", "[\"0.0.0.0/0\"]" },
		{ "!Cidr [!Select [0, !GetAtt Vpc.Ipv6CidrBlocks], 3, 64]",
		  "[\"2001:db8:1:ff00::/64\",\"2001:db8:1:ff01::/64\",\"2001:db8:1:ff02::/64\"]" },
		{ "!Cidr ['2001:db8::/32', 2, 95]", "[\"2001:db8::/33\",\"2001:db8:8000::/33\"]" },
		/* Fn::FindInMap */
		{ "!FindInMap [Regions, !Ref AWS::Region, Image]", "\"ami-1\"" },
		{ "!FindInMap [Regions, us-east-1, Zones]", "[\"x\",\"y\"]" },
		{ "!FindInMap [!FindInMap [Regions, us-east-1, Next], key, !Sub 'value']",
		  "\"deep\"" },
		/* Fn::If and conditions */
		{ "!If [Yes, a, b]", "\"a\"" },
		{ "!If [No, a, b]", "\"b\"" },
		{ "!If [Both, a, b]", "\"b\"" },
		{ "!If [Either, a, b]", "\"a\"" },
		{ "!If [Mapped, a, b]", "\"a\"" },
		{ "!If [No, x, !Ref AWS::NoValue]", NULL },
		{ "[!If [Yes, {a: !Ref Text}, !Ref AWS::NoValue], !If [No, x, !Ref AWS::NoValue]]",
		  "[{\"a\":\"word\"}]" },
		{ "!If [Yes, [a, !If [No, b, c]], x]", "[\"a\",\"c\"]" },
		{ "!If [No, !Ref Gone, none]", "\"none\"" },
		/* Fn::Base64, Fn::ImportValue */
		{ "!Base64 {'Fn::Sub': 'a ${Text}'}", "\"YSB3b3Jk\"" },
		{ "!Base64 ''", "\"\"" },
		{ "!Base64 '{{resolve:ssm:/ami}}'", "\"YW1pLTAxMjM0NTY3ODlhYmNkZWYw\"" },
		{ "!ImportValue {'Fn::Sub': '${AWS::StackName}-Vpc'}", "\"import-lab-Vpc\"" },
		/* dynamic references */
		{ "'{{resolve:ssm:/ami}}'", "\"ami-0123456789abcdef0\"" },
		{ "'a{{resolve:ssm:/ami:3}}b{{resolve:ssm:/list}}c{{resolve:'",
		  "\"aami-0123456789abcdef0:3bx, yc{{resolve:\"" },
		{ "!Sub ['{{resolve:ssm:/${x}}}', {x: ami}]", "\"ami-0123456789abcdef0\"" },
		{ "!Join ['', ['{{resolve:ssm:/', 'ami}}']]", "\"ami-0123456789abcdef0\"" },
		{ "!Ref Refers", "\"ami-0123456789abcdef0\"" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(node_freep) struct node *properties = NULL;
		CLEANUP(freep) char *json = NULL;
		const struct node *tags;
		struct error error = ERROR_INIT;

		if (evaluate_frame(rows[i].value, &properties, &error) < 0)
			fail_msg("%s: %s", rows[i].value, error.text);
		tags = node_get(properties, "Tags");
		json = tags ? json_of(tags) : NULL;
		if (!streq(json, rows[i].json))
			fail_msg("%s: %s", rows[i].value, json ? json : "none");
	}
}

/* What is wrong with a property's value; the frame has 27 lines before it. */
static void test_function_errors(void **state)
{
#define PLACE "Resources.It.Properties.Tags (line 28): "
#define SUB   "One or more Fn::Sub intrinsic functions don't specify expected arguments."
	static const struct {
		const char *value, *error;
	} rows[] = {
		{ "!Ref Nobody", PLACE "Template format error: Unresolved resource dependencies "
				       "[Nobody] in the Resources block of the template" },
		{ "!Ref AWS::Nothing", PLACE "Template format error: Unresolved resource "
					     "dependencies [AWS::Nothing] in the Resources block" },
		{ "!Ref [a]", PLACE "Template error: every Ref object must have a single String" },
		{ "{Ref: {Ref: Text}}", PLACE "Template error: every Ref object must have" },
		{ "!Ref Gone", PLACE "Template format error: Unresolved resource dependencies "
				     "[Gone] in the Resources block of the template" },
		{ "[a, b: [!Ref Nobody]]",
		  "Resources.It.Properties.Tags[1].b[0] (line 28): Template" },
		{ "\n        - a\n        - {b: !Ref Nobody}",
		  "Resources.It.Properties.Tags[1].b (line 30): Template format error" },
		{ "!GetAtt Nobody.VpcId", PLACE "Template error: instance of Fn::GetAtt references "
						"undefined resource Nobody" },
		{ "!GetAtt Text.VpcId", PLACE "Template error: instance of Fn::GetAtt references "
					      "undefined resource Text" },
		{ "!GetAtt Vpc.Colour", PLACE "Template error: resource Vpc does not support "
					      "attribute type Colour in Fn::GetAtt" },
		{ "!GetAtt [Vpc, !Ref Text]", PLACE "Template error: resource Vpc does not support "
						    "attribute type word in Fn::GetAtt" },
		{ "!GetAtt Vpc", PLACE "Template error: every Fn::GetAtt object requires two" },
		{ "!GetAtt Vpc.", PLACE "Template error: every Fn::GetAtt object requires two" },
		{ "!GetAtt .VpcId", PLACE "Template error: every Fn::GetAtt object requires two" },
		{ "!GetAtt [Vpc, [a]]", PLACE "Template error: every Fn::GetAtt object requires" },
		{ "!GetAtt [Vpc, {a: b}]",
		  PLACE "Template error: every Fn::GetAtt object requires" },
		{ "!GetAtt [Vpc]", PLACE "Template error: every Fn::GetAtt object requires two" },
		{ "!GetAtt [!Ref Vpc, a]",
		  PLACE "Template error: every Fn::GetAtt object requires" },
		{ "!GetAtt It.VpcId",
		  "Resources.It (line 24): Circular dependency between resources: [It]" },
		{ "!Sub '${Nobody}'", PLACE "Template format error: Unresolved resource "
					    "dependencies [Nobody] in the Resources block" },
		{ "!Sub '${Nobody.VpcId}'", PLACE "Template error: instance of Fn::GetAtt "
						  "references undefined resource Nobody" },
		{ "!Sub '${a-b}'", PLACE "Template error: variable names in Fn::Sub syntax must "
					 "contain only alphanumeric characters, underscores, "
					 "periods, and colons: ${a-b}" },
		{ "!Sub '${}'",
		  PLACE "Template format error: Unresolved resource dependencies []" },
		{ "!Sub '${List}'",
		  PLACE "Template error: variable List in Fn::Sub expression does "
			"not resolve to a string" },
		{ "!Sub '${AWS::NoValue}'", PLACE "Template error: variable AWS::NoValue in" },
		{ "!Sub [a]", PLACE "Template error: " SUB },
		{ "!Sub [a, b]", PLACE "Template error: " SUB },
		{ "!Sub [a, {}, c]", PLACE "Template error: " SUB },
		{ "!Sub {a: b}", PLACE "Template error: " SUB },
		{ "!Sub [!Ref Text, {}]", PLACE "Template error: " SUB },
		{ "!Join [a]", PLACE "Template error: every Fn::Join object requires two" },
		{ "!Join [',', a]", PLACE "Template error: every Fn::Join object requires two" },
		{ "!Join [!Ref Text, [a]]",
		  PLACE "Template error: every Fn::Join object requires" },
		{ "!Join [',', !Ref Text]",
		  PLACE "Template error: every Fn::Join object requires" },
		{ "!Join [',', [{a: b}]]", PLACE "Template error: every Fn::Join object requires" },
		{ "!Split [a, [b]]", PLACE "Template error: every Fn::Split object requires two" },
		{ "!Split [a, !Ref List]",
		  PLACE "Template error: every Fn::Split object requires" },
		{ "!Select [3, [a, b]]", PLACE "Template error: Fn::Select  cannot select "
					       "nonexistent value at index 3" },
		{ "!Select [99999999999999999999, [a]]",
		  PLACE "Template error: Fn::Select  cannot" },
		{ "!Select [a, [b]]", PLACE "Template error: Fn::Select requires a list argument" },
		{ "!Select [-1, [b]]",
		  PLACE "Template error: Fn::Select requires a list argument" },
		{ "!Select [1]", PLACE "Template error: Fn::Select requires a list argument" },
		{ "!GetAZs [a]", PLACE "Template error: every Fn::GetAZs object must have" },
		{ "!GetAZs nowhere", PLACE "there is no nowhere" },
		{ "!Cidr [10.0.0.0/16, 2]",
		  PLACE "Template error: every Fn::Cidr object requires" },
		{ "!Cidr [10.0.0.0, 2, 8]",
		  PLACE "Template error: Fn::Cidr: 10.0.0.0 is no block" },
		{ "!Cidr [10.0.0.0/16, 0, 8]", PLACE "Template error: Fn::Cidr: the count must be "
						     "1 to 256: 0" },
		{ "!Cidr [10.0.0.0/8, 257, 8]", PLACE "Template error: Fn::Cidr: the count must be "
						      "1 to 256: 257" },
		{ "!Cidr [10.0.0.0/8, x, 8]", PLACE "Template error: Fn::Cidr: the count must be" },
		{ "!Cidr [10.0.0.0/16, 1, 33]", PLACE "Template error: Fn::Cidr: the number of "
						      "bits must be 1 to 32: 33" },
		{ "!Cidr [10.0.0.0/16, 1, 17]",
		  PLACE "Template error: Fn::Cidr: 10.0.0.0/16 has no "
			"room for 1 blocks of 17 bits" },
		{ "!Cidr [10.0.0.0/23, 3, 8]", PLACE "Template error: Fn::Cidr: 10.0.0.0/23 has no "
						     "room for 3 blocks of 8 bits" },
		{ "!FindInMap [Nothing, a, b]", PLACE "Template error: Mapping named 'Nothing' is "
						      "not present in the 'Mappings' section of "
						      "template." },
		{ "!FindInMap [Regions, eu-west-1, Image]",
		  PLACE "Template error: Unable to get mapping for Regions::eu-west-1::Image" },
		{ "!FindInMap [!Ref Text, a, b]",
		  PLACE "Template error: Unable to get mapping for word::a::b" },
		{ "!FindInMap [Regions, a]", PLACE "Template error: every Fn::FindInMap object" },
		{ "!If [Nothing, a, b]", PLACE "Template format error: Unresolved condition "
					       "dependency Nothing in the Resources block of the "
					       "template" },
		{ "!If [Yes, a]", PLACE "Template error: Fn::If requires a list argument" },
		{ "!If [!Equals [a, b], a, b]", PLACE "Template error: Fn::If requires a list" },
		{ "!Base64 [a]", PLACE "Template error: every Fn::Base64 object must have" },
		{ "!Base64 {Ref: List}", PLACE "Template error: every Fn::Base64 object must" },
		{ "!ImportValue absent", PLACE "No export named absent found." },
		{ "!Equals [a, b]", PLACE "Template error: Cannot use Fn::Equals in Resources." },
		{ "!Join [',', [!Not [a]]]", PLACE "Template error: Cannot use Fn::Not in" },
		{ "!Transform {Name: x}", PLACE "Template format error: Encountered unsupported "
						"function: Fn::Transform Supported functions are: "
						"[Ref, Condition, Fn::And, " },
		{ "!Length [a]", PLACE "Template format error: Encountered unsupported function: "
				       "Fn::Length" },
		{ "{'Fn::Sub': a, b: c}", "Resources.It.Properties.Tags (line 28): Template format "
					  "error: Fn::Sub must stand alone in its object" },
		{ "'{{resolve:ssm-secure:/a:1}}'", PLACE "{{resolve:ssm-secure:…}} is not" },
		{ "!Sub 'a{{resolve:secretsmanager:x:SecretString:y}}'",
		  PLACE "{{resolve:secretsmanager:…}} is not supported" },
		{ "!Join ['', ['{{resolve:ssm-sec', 'ure:a}}']]",
		  PLACE "{{resolve:ssm-secure:…}} is not supported" },
		{ "'{{resolve:ssm:}}'", PLACE "{{resolve:ssm:…}} is not supported" },
		{ "'{{resolve:ssm:/none}}'", PLACE "there is no /none" },
		{ "!GetAtt Vpc.PublicIp", PLACE "Template error: resource Vpc does not support" },
		{ "~", PLACE "Template format error: [/Resources/It/Properties/Tags] 'null' values "
			     "are not allowed in templates" },
		{ "[a, [~]]",
		  "Resources.It.Properties.Tags[1][0] (line 28): Template format error: "
		  "[/Resources/It/Properties/Tags[1][0]] 'null' values are not" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(node_freep) struct node *properties = NULL;
		struct error error = ERROR_INIT;

		if (evaluate_frame(rows[i].value, &properties, &error) == 0)
			fail_msg("%s: no error", rows[i].value);
		if (strncmp(error.text, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("%s: %s", rows[i].value, error.text);
	}
}

/* ---- templates ---- */

#define VPC "  V: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}\n"

static void test_template_errors(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "a: [b", "Template format error: YAML not well-formed. (line 2, column 1): " },
		{ "- a", "Template format error: unsupported structure." },
		{ "Foo: a\nResources: {}\nBar: b",
		  "Invalid template property or properties [Foo, Bar]" },
		{ "AWSTemplateFormatVersion: 2010\nResources: {}",
		  "AWSTemplateFormatVersion (line 1): Template format error: unsupported value for "
		  "AWSTemplateFormatVersion." },
		{ "Description: [a]\nResources: {}",
		  "Description (line 1): Template format error: Every Description member must be" },
		{ "Metadata: a\nResources: {}",
		  "Metadata (line 1): Template format error: this must" },
		{ "Transform: AWS::Serverless-2016-10-31\nResources: {}",
		  "Transform (line 1): Transform \"AWS::Serverless-2016-10-31\" is not supported" },
		{ "Description: a",
		  "Template format error: At least one Resources member must be defined." },
		{ "Resources: {}",
		  "Template format error: At least one Resources member must be defined." },
		{ "Resources:\n",
		  "Resources (line 1): Template format error: [/Resources] 'null' values are not" },
		{ "Resources: [a]", "Resources (line 1): Template format error: this must be an" },
		/* resources */
		{ "Resources:\n  a-b: {Type: x}",
		  "Resources.a-b (line 2): Template format error: Resource name {a-b} is non "
		  "alphanumeric." },
		{ "Resources:\n  A: b",
		  "Resources.A (line 2): Template format error: this must be" },
		{ "Resources:\n  A: {Properties: {}}",
		  "Resources.A (line 2): Template format error: [/Resources/A] Every Resources "
		  "object "
		  "must contain a Type member." },
		{ "Resources:\n  A: {Type: 'AWS::EC2::VPC', Comment: a}",
		  "Resources.A (line 2): Invalid template resource property 'Comment'" },
		{ "Resources:\n" VPC "  A:\n    Type: AWS::IAM::Role\n  B: {Type: 'Custom::It'}",
		  "Resources.A (line 4): Template format error: Unrecognized resource types: "
		  "[AWS::IAM::Role, Custom::It]" },
		{ "Resources:\n  A:\n    Type: AWS::EC2::VPC\n    Properties:\n      Colour: red",
		  "Resources.A.Properties.Colour (line 5): Encountered unsupported property "
		  "Colour" },
		{ "Resources:\n  A:\n    Type: AWS::EC2::VPC",
		  "Resources.A.Properties (line 2): Property CidrBlock cannot be empty." },
		{ "Resources:\n  A:\n    Type: AWS::EC2::VPC\n    Properties: [a]",
		  "Resources.A.Properties (line 4): Template format error: Properties must be an" },
		{ "Resources:\n  A:\n    Type: AWS::EC2::VPC\n    Properties: !If [a, b, c]",
		  "Resources.A.Properties (line 4): Template format error: Properties must be an" },
		{ "Resources:\n  A:\n    Type: AWS::EC2::VPC\n    DeletionPolicy: Keep",
		  "Resources.A.DeletionPolicy (line 4): Template error: Unrecognized "
		  "DeletionPolicy Keep for "
		  "resource A" },
		{ "Resources:\n  A:\n    Type: AWS::EC2::VPC\n"
		  "    UpdateReplacePolicy: RetainExceptOnCreate",
		  "Resources.A.UpdateReplacePolicy (line 4): Template error: Unrecognized "
		  "UpdateReplacePolicy "
		  "RetainExceptOnCreate for resource A" },
		{ "Resources:\n  A:\n    Type: AWS::EC2::VPC\n    Condition: C",
		  "Resources.A.Condition (line 4): Template format error: Unresolved condition "
		  "dependency C "
		  "in "
		  "the Resources block of the template" },
		{ "Resources:\n  A:\n    Type: AWS::EC2::VPC\n    Condition: [C]",
		  "Resources.A.Condition (line 4): Template format error: Every Condition member "
		  "must be" },
		{ "Resources:\n" VPC
		  "  A:\n    Type: AWS::EC2::InternetGateway\n    DependsOn: [V, X]",
		  "Resources.A.DependsOn (line 5): Template format error: Unresolved resource "
		  "dependencies [X] in the Resources block of the template" },
		{ "Resources:\n  A:\n    Type: AWS::EC2::InternetGateway\n    DependsOn: {a: b}",
		  "Resources.A.DependsOn (line 4): Template format error: DependsOn must be a "
		  "string" },
		{ "Parameters: {A: {Type: String}}\nResources:\n  A: {Type: 'AWS::EC2::EIP'}",
		  "Resources.A (line 3): Template format error: A is a parameter and a resource" },
		{ "Resources:\n"
		  "  X: {Type: 'AWS::EC2::EIP', DependsOn: A}\n"
		  "  A: {Type: 'AWS::EC2::EIP', DependsOn: B}\n"
		  "  B: {Type: 'AWS::EC2::EIP', Properties: {Tags: !Sub '${C}'}}\n"
		  "  C: {Type: 'AWS::EC2::EIP', Metadata: {x: [!GetAtt A.AllocationId]}}\n",
		  "Resources.A (line 3): Circular dependency between resources: [A, B, C]" },
		/* parameters */
		{ "Parameters: {A: {}}\nResources: {}",
		  "Parameters.A (line 1): Template format error: Every Parameters object must "
		  "contain "
		  "a Type member." },
		{ "Parameters: {A: {Type: Text}}\nResources: {}",
		  "Parameters.A (line 1): Template format error: Unrecognized parameter type: "
		  "Text" },
		{ "Parameters: {A: {Type: List<List<Number>>}}\nResources: {}",
		  "Parameters.A (line 1): Template format error: Unrecognized parameter type: "
		  "List<" },
		{ "Parameters: {A_: {Type: String}}\nResources: {}",
		  "Parameters.A_ (line 1): Template format error: Parameter name {A_} is non" },
		{ "Parameters: {A: {Type: String, Max: 1}}\nResources: {}",
		  "Parameters.A (line 1): Invalid template parameter property 'Max'" },
		{ "Parameters: {A: {Type: String, Default: [a]}}\nResources: {}",
		  "Parameters.A (line 1): Template format error: Every Default member must be a" },
		{ "Parameters: {A: {Type: String, AllowedValues: a}}\nResources: {}",
		  "Parameters.A (line 1): Template format error: Every AllowedValues member must "
		  "be" },
		{ "Parameters: {A: {Type: String, AllowedValues: []}}\nResources: {}",
		  "Parameters.A (line 1): Template format error: Every AllowedValues member must "
		  "be" },
		{ "Parameters: {A: {Type: String, MaxLength: many}}\nResources: {}",
		  "Parameters.A (line 1): Template format error: Every MaxLength member must be a "
		  "number." },
		{ "Parameters: {A: {Type: String, AllowedPattern: '(?=a)'}}\nResources: {}",
		  "Parameters.A (line 1): AllowedPattern can't be checked: it looks ahead or "
		  "behind" },
		/* mappings */
		{ "Mappings: {A: b}\nResources: {}",
		  "Mappings.A (line 1): Template format error: this" },
		{ "Mappings: {A: {b: {c: {d: e}}}}\nResources: {}",
		  "Mappings.A.b.c (line 1): Template format error: Every Mappings attribute must "
		  "be a "
		  "String or a List." },
		{ "Mappings: {A: {b: {c: [[d]]}}}\nResources: {}",
		  "Mappings.A.b.c (line 1): Template format error: Every Mappings attribute must "
		  "be" },
		/* conditions */
		{ "Conditions: {A: b}\nResources: {}",
		  "Conditions.A (line 1): Template format error: Conditions can only be boolean "
		  "operations on parameters and other conditions" },
		{ "Conditions: {A: !Ref B}\nResources: {}",
		  "Conditions.A (line 1): Template format error: Conditions can only be boolean" },
		{ "Conditions: {A: !Equals [a, !Ref V]}\nResources:\n" VPC,
		  "Conditions.A (line 1): Template format error: Unresolved dependencies [V]. "
		  "Cannot "
		  "reference resources in the Conditions block of the template" },
		{ "Conditions: {A: !Equals [a, !GetAtt V.VpcId]}\nResources:\n" VPC,
		  "Conditions.A (line 1): Template error: Cannot use Fn::GetAtt in Conditions." },
		{ "Conditions: {A: !Equals [a]}\nResources: {}",
		  "Conditions.A (line 1): Template error: every Fn::Equals object requires a list "
		  "of 2" },
		{ "Conditions: {A: !And [!Equals [a, b]]}\nResources: {}",
		  "Conditions.A (line 1): Template error: every Fn::And object requires a list of "
		  "at" },
		{ "Conditions: {A: !Or [a, b]}\nResources: {}",
		  "Conditions.A (line 1): Template error: every Fn::Or object requires a list of "
		  "at" },
		{ "Conditions: {A: !Not [!Equals [a, b], !Equals [a, b]]}\nResources: {}",
		  "Conditions.A (line 1): Template error: every Fn::Not object requires a list of "
		  "one" },
		{ "Conditions: {A: !Not [!Condition B]}\nResources: {}",
		  "Conditions.A (line 1): Template format error: Unresolved condition dependency B "
		  "in "
		  "the Conditions block of the template" },
		{ "Conditions:\n  A: !Not [!Condition B]\n  B: !Not [!Condition C]\n"
		  "  C: !Not [!Condition B]\nResources: {}",
		  "Conditions (line 3): Template format error: Circular dependency between "
		  "conditions: [B, C]" },
		{ "Conditions: {A: !Equals [a, !If [B, c, d]]}\nResources: {}",
		  "Conditions.A (line 1): Template error: Cannot use Fn::If in Conditions." },
		/* rules */
		{ "Rules: {A: {Assertions: a}}\nResources: {}",
		  "Rules.A (line 1): Template format error: Every Rules object must contain a "
		  "list" },
		{ "Rules: {A: {Assertions: [{AssertDescription: a}]}}\nResources: {}",
		  "Rules.A (line 1): Template format error: Every assertion must contain an "
		  "Assert" },
		{ "Rules: {A: {Assertions: [{Assert: a}]}}\nResources: {}",
		  "Rules.A (line 1): Template format error: Rules can only be boolean operations" },
		{ "Rules: {A: {Assertions: [{Assert: {'Fn::EachMemberIn': [{'Fn::ValueOfAll': [a, "
		  "b]},"
		  " {'Fn::RefAll': a}]}}]}}\nResources: {}",
		  "Rules.A (line 1): Template format error: Encountered unsupported function: "
		  "Fn::ValueOfAll" },
		/* outputs */
		{ "Resources:\n" VPC "Outputs:\n  A: {Description: a}",
		  "Outputs.A (line 4): Template format error: Every Outputs member must contain a "
		  "Value object" },
		{ "Resources:\n" VPC "Outputs:\n  A: {Value: a, Export: {}}",
		  "Outputs.A (line 4): Template format error: Every Export member must contain a "
		  "Name" },
		{ "Resources:\n" VPC "Outputs:\n  A-B: {Value: a}",
		  "Outputs.A-B (line 4): Template format error: Output name {A-B} is non" },
		{ "Resources:\n" VPC "Outputs:\n  A: {Value: a, Type: b}",
		  "Outputs.A (line 4): Invalid template output property 'Type'" },
		{ "Resources:\n" VPC "Outputs:\n  A: {Value: a, Condition: b}",
		  "Outputs.A (line 4): Template format error: Unresolved condition dependency b in "
		  "the Outputs block of the template" },
		{ "Resources:\n" VPC "Outputs:\n  A: {Value: a, Description: !Sub b}",
		  "Outputs.A (line 4): Template format error: Every Description and Condition "
		  "member" },
		{ "Resources:\n" VPC "Outputs:\n  A: {Value: !Ref W}",
		  "Outputs.A (line 4): Template format error: Unresolved resource dependencies [W] "
		  "in "
		  "the Outputs block of the template" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(template_freep) struct template *template = NULL;
		struct error error = ERROR_INIT;

		assert_int_equal(template_parse(rows[i].text, strlen(rows[i].text), &strict,
						&template, NULL, &error) < 0,
				 1);
		assert_int_equal(error.code, ERROR_INVALID_TEMPLATE);
		if (strncmp(error.text, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("%s\n%s", rows[i].text, error.text);
	}
}

/* COUNT members after a head, by a format with their number. */
static char *many(const char *head, const char *format_before, const char *format_after,
		  unsigned int count, const char *tail)
{
	struct buffer text = BUFFER_INIT;

	buffer_puts(&text, head);
	for (unsigned int i = 0; i < count; i++)
		buffer_printf(&text, "%s%u%s", format_before, i, format_after);
	buffer_puts(&text, tail);
	return buffer_steal(&text);
}

static void expect_refusal(const char *text, const char *words)
{
	CLEANUP(template_freep) struct template *template = NULL;
	struct error error = ERROR_INIT;

	if (template_parse(text, strlen(text), &strict, &template, NULL, &error) == 0)
		fail_msg("no error: %s", words);
	if (!strstr(error.text, words))
		fail_msg("%s", error.text);
}

static void test_quotas(void **state)
{
	CLEANUP(freep)
	char *resources = many("Resources:\n", "  R", ": {Type: 'AWS::EC2::EIP'}\n", 501, "");
	CLEANUP(freep)
	char *parameters = many("Parameters:\n", "  P", ": {Type: String}\n", 201, "Resources: {}");
	CLEANUP(freep)
	char *outputs = many("Resources:\n" VPC "Outputs:\n", "  O", ": {Value: a}\n", 201, "");
	CLEANUP(freep)
	char *mapped = many("Mappings:\n  M:\n", "    k", ": {a: b}\n", 201, "Resources: {}");
	CLEANUP(freep) char *described = xasprintf("Description: %01025d\nResources: {}", 0);
	CLEANUP(freep) char *named = xasprintf("Resources: {A%0255d: {Type: x}}", 0);

	(void)state;
	expect_refusal(resources,
		       "Template format error: Number of resources, 501, is greater than "
		       "maximum allowed, 500");
	expect_refusal(parameters,
		       "Number of parameters, 201, is greater than maximum allowed, 200");
	expect_refusal(outputs, "Number of outputs, 201, is greater than maximum allowed, 200");
	expect_refusal(mapped, "Number of mapping attributes, 201, is greater than maximum");
	expect_refusal(described, "'Description' length is greater than 1024.");
	expect_refusal(named, "Resource name has more than 255 characters");
}

/* What a strict reader is told besides the first. */
static void test_lacks_listed(void **state)
{
	static const char text[] =
		"Resources:\n"
		"  A: {Type: 'AWS::EC2::VPC', Properties: {Colour: red, Size: 2}}\n"
		"  B: {Type: 'AWS::IAM::Role'}\n"
		"  C: {Type: 'AWS::EC2::EIP', Properties: {Colour: red}}\n";
	static const char *const lines[] = {
		"Resources.A.Properties.Colour (line 2): not supported",
		"Resources.A.Properties.Size (line 2): not supported",
		"Resources.A.Properties (line 2): Property CidrBlock cannot be empty.",
		"Resources.B (line 3): minivpc does not support AWS::IAM::Role",
		"Resources.C.Properties.Colour (line 4): not supported",
	};
	CLEANUP(text_lines_clear) struct text_lines warnings = { NULL, 0 };
	CLEANUP(template_freep) struct template *template = NULL;
	struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(template_parse(text, strlen(text), &strict, &template, &warnings, &error),
			 -22);
	assert_int_equal(warnings.count, ARRAY_SIZE(lines));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_string_equal(warnings.items[i], lines[i]);
}

/* ---- what a template declares ---- */

static void test_declarations(void **state)
{
	static const char text[] =
		"AWSTemplateFormatVersion: 2010-09-09\n"
		"Description: A small one\n"
		"Metadata: {Any: [~, {Ref: Nobody}]}\n"
		"Parameters:\n"
		"  A: {Type: String, Description: first, NoEcho: true}\n"
		"  B: {Type: Number, Default: 3}\n"
		"Conditions: {C: !Equals [!Ref A, b]}\n"
		"Resources:\n" VPC "  S:\n"
		"    Type: AWS::EC2::Subnet\n"
		"    DeletionPolicy: RetainExceptOnCreate\n"
		"    UpdateReplacePolicy: Snapshot\n"
		"    DependsOn: [G, V]\n"
		"    Properties:\n"
		"      VpcId: !Ref V\n"
		"      CidrBlock: !If [C, !Sub '${W.CidrBlock}', !Ref A]\n"
		"    Metadata: {of: !Ref E}\n"
		"  G: {Type: 'AWS::EC2::InternetGateway'}\n"
		"  W: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/8}}\n"
		"  E: {Type: 'AWS::EC2::EIP', CreationPolicy: {a: !Ref V}}\n";
	static const char *const depends[] = { "V", "W", "E", "G" };
	CLEANUP(template_freep) struct template *template = read_template(text, &strict, NULL);
	const struct template_parameter *parameter = template_parameter_at(template, 0);
	const struct template_resource *resource = template_resource_at(template, 1);

	(void)state;
	assert_string_equal(template_description(template), "A small one");
	assert_int_equal(template_parameter_count(template), 2);
	assert_string_equal(parameter->name, "A");
	assert_string_equal(parameter->type, "String");
	assert_string_equal(parameter->description, "first");
	assert_null(parameter->fallback);
	assert_true(parameter->no_echo);
	parameter = template_parameter_at(template, 1);
	assert_string_equal(parameter->fallback, "3");
	assert_null(parameter->description);
	assert_false(parameter->no_echo);
	assert_int_equal(template_resource_count(template), 5);
	assert_string_equal(resource->name, "S");
	assert_string_equal(resource->type, "AWS::EC2::Subnet");
	assert_string_equal(resource->deletion_policy, "RetainExceptOnCreate");
	assert_string_equal(resource->update_replace_policy, "Snapshot");
	assert_int_equal(resource->dependency_count, ARRAY_SIZE(depends));
	for (size_t i = 0; i < ARRAY_SIZE(depends); i++)
		assert_string_equal(resource->dependencies[i], depends[i]);
	resource = template_resource_at(template, 4);
	assert_string_equal(resource->deletion_policy, "Delete");
	assert_int_equal(resource->dependency_count, 1);
	assert_string_equal(node_get_text(resource->node, "Type"), "AWS::EC2::EIP");
}

/* ---- parameters ---- */

static void test_parameter_values(void **state)
{
	static const struct {
		const char *declaration, *value, *error; /* value NULL: none is given */
	} rows[] = {
		{ "Type: String", "any", NULL },
		{ "Type: String", NULL, "Parameters: [A] must have values" },
		{ "Type: String, Default: ''", NULL, NULL },
		{ "Type: String, AllowedValues: [a, b]", "b", NULL },
		{ "Type: String, AllowedValues: [a, b]", "c",
		  "Parameter 'A' must be one of AllowedValues" },
		{ "Type: String, Default: c, AllowedValues: [a, b]", NULL,
		  "Parameter 'A' must be one of AllowedValues" },
		{ "Type: String, AllowedValues: [a], ConstraintDescription: must be a", "c",
		  "Parameter A failed to satisfy constraint: must be a" },
		{ "Type: String, AllowedPattern: '[a-z]+'", "abc", NULL },
		{ "Type: String, AllowedPattern: '[a-z]+'", "abc1",
		  "Parameter 'A' must match pattern [a-z]+" },
		{ "Type: String, MinLength: 2, MaxLength: '3'", "éé", NULL },
		{ "Type: String, MinLength: 2, MaxLength: '3'", "é",
		  "Parameter 'A' must contain at least 2 characters" },
		{ "Type: String, MinLength: 2, MaxLength: '3'", "abcd",
		  "Parameter 'A' must contain at most 3 characters" },
		{ "Type: Number", "-1.5e3", NULL },
		{ "Type: Number", "", "Parameter 'A' must be a number" },
		{ "Type: Number", "0x10", "Parameter 'A' must be a number" },
		{ "Type: Number", "1e999", "Parameter 'A' must be a number" },
		{ "Type: Number", "nan", "Parameter 'A' must be a number" },
		{ "Type: Number, MinValue: 1, MaxValue: 5", "5.0", NULL },
		{ "Type: Number, MinValue: 1, MaxValue: 5", "0.5",
		  "Parameter 'A' must be a number not less than 1" },
		{ "Type: Number, MinValue: 1, MaxValue: 5", "6",
		  "Parameter 'A' must be a number not greater than 5" },
		{ "Type: List<Number>", "1, 2", NULL },
		{ "Type: List<Number>", "1,b", "Parameter 'A' must be a number" },
		{ "Type: CommaDelimitedList, AllowedValues: [a, b]", "a, b", NULL },
		{ "Type: CommaDelimitedList, AllowedValues: [a, b]", "a,c",
		  "Parameter 'A' must be one of AllowedValues" },
		{ "Type: 'AWS::EC2::VPC::Id'", "vpc-0123456789abcdef0", NULL },
		{ "Type: 'AWS::EC2::VPC::Id'", "vpc-12345678", NULL },
		{ "Type: 'AWS::EC2::VPC::Id'", "subnet-12345678",
		  "Parameter validation failed: parameter value subnet-12345678 for parameter name "
		  "A "
		  "does not exist" },
		{ "Type: 'List<AWS::EC2::Subnet::Id>'", "subnet-12345678,subnet-12345679", NULL },
		{ "Type: 'List<AWS::EC2::Subnet::Id>'", "subnet-12345678,x",
		  "Parameter validation failed: parameter value x for parameter name A does not" },
		{ "Type: 'AWS::EC2::KeyPair::KeyName'", "mine", NULL },
		{ "Type: 'AWS::EC2::KeyPair::KeyName', Default: ''", NULL,
		  "Parameter validation failed: parameter value  for parameter name A does not" },
		{ "Type: 'AWS::EC2::AvailabilityZone::Name'", "us-east-1b", NULL },
		{ "Type: 'AWS::EC2::AvailabilityZone::Name'", "us-east-1z",
		  "Parameter validation failed: parameter value us-east-1z for parameter name A "
		  "does" },
		{ "Type: 'List<AWS::EC2::AvailabilityZone::Name>'", "us-east-1a,us-east-1c", NULL },
		{ "Type: 'AWS::SSM::Parameter::Value<String>', AllowedValues: [/ami]", "/ami",
		  NULL },
		{ "Type: 'AWS::SSM::Parameter::Value<String>'", "/none",
		  "Parameters.A: there is no /none" },
		{ "Type: 'AWS::SSM::Parameter::Name'", "/any", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep)
		char *text =
			xasprintf("Parameters: {A: {%s}}\nResources:\n" VPC, rows[i].declaration);
		CLEANUP(template_freep)
		struct template *template = read_template(text, &strict, NULL);
		CLEANUP(template_values_clear) struct template_values values = { NULL, 0 };
		CLEANUP(freep) char *value = xstrdup_null(rows[i].value);
		char name[] = "A";
		const struct template_value given = { name, value };
		struct error error = ERROR_INIT;
		int result = template_check_values(template, &answers, &given, value ? 1 : 0,
						   &values, &error);

		if (rows[i].error) {
			if (result == 0 ||
			    strncmp(error.text, rows[i].error, strlen(rows[i].error)) != 0)
				fail_msg("%s: %s: %s", rows[i].declaration, value, error.text);
			continue;
		}
		if (result < 0)
			fail_msg("%s: %s: %s", rows[i].declaration, value, error.text);
		assert_int_equal(values.count, 1);
		assert_string_equal(values.items[0].name, "A");
		assert_string_equal(values.items[0].value, value ? value : "");
	}
}

/* Who doesn't know the zones takes what looks like one. */
static void test_zone_by_shape(void **state)
{
	static const char text[] =
		"Parameters: {A: {Type: 'AWS::EC2::AvailabilityZone::Name'}}\nResources:\n" VPC;
	static const struct {
		const char *value;
		bool good;
	} rows[] = {
		{ "us-east-1z", true },	  { "us-east-1", false },  { "", false },
		{ "us-east-1az", false }, { "us-west-2a", false },
	};
	CLEANUP(template_freep) struct template *template = read_template(text, &strict, NULL);
	struct template_answers few = answers;

	(void)state;
	few.zones = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(template_values_clear) struct template_values values = { NULL, 0 };
		CLEANUP(freep) char *value = xstrdup(rows[i].value);
		char name[] = "A";
		const struct template_value given = { name, value };
		struct error error = ERROR_INIT;

		assert_int_equal(
			template_check_values(template, &few, &given, 1, &values, &error) == 0,
			rows[i].good);
	}
}

static void test_names_given(void **state)
{
	static const char text[] = "Parameters:\n"
				   "  A: {Type: String}\n  B: {Type: String}\n"
				   "  C: {Type: String, Default: c}\nResources:\n" VPC;
	CLEANUP(template_freep) struct template *template = read_template(text, &strict, NULL);
	char a[] = "A", b[] = "B", x[] = "X", y[] = "Y", value[] = "v";
	const struct template_value unknown[] = { { a, value }, { x, value }, { y, value } };
	const struct template_value twice[] = { { a, value }, { b, value }, { a, value } };
	struct template_values values = { NULL, 0 };
	struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(template_check_values(template, &answers, NULL, 0, &values, &error), -22);
	assert_string_equal(error.text, "Parameters: [A, B] must have values");
	assert_int_equal(template_check_values(template, &answers, unknown, 3, &values, &error),
			 -22);
	assert_string_equal(error.text, "Parameters: [X, Y] do not exist in the template");
	assert_int_equal(template_check_values(template, &answers, twice, 3, &values, &error), -22);
	assert_string_equal(error.text, "Parameters: [A] are given twice");
	assert_int_equal(template_check_values(template, &answers, twice, 2, &values, &error), 0);
	assert_int_equal(values.count, 3);
	assert_string_equal(values.items[1].value, "v");
	assert_string_equal(values.items[2].value, "c");
	template_values_clear(&values);
}

static void test_rules(void **state)
{
	static const char text[] =
		"Parameters:\n"
		"  Size: {Type: String}\n"
		"  Sizes: {Type: CommaDelimitedList, Default: 'a,b'}\n"
		"Rules:\n"
		"  Big:\n"
		"    RuleCondition: !Equals [!Ref Size, big]\n"
		"    Assertions:\n"
		"      - Assert: {'Fn::Contains': [[c, d], {'Fn::Select': [0, {Ref: Sizes}]}]}\n"
		"        AssertDescription: a big one needs c or d\n"
		"  All:\n"
		"    Assertions:\n"
		"      - Assert: !Not [{'Fn::EachMemberEquals': [{Ref: Sizes}, x]}]\n"
		"      - Assert: {'Fn::EachMemberIn': [{Ref: Sizes}, [a, b, c, x]]}\n"
		"Resources:\n" VPC;
	static const struct {
		const char *size, *sizes, *error;
	} rows[] = {
		{ "small", "a,b", NULL },
		{ "big", "c,a", NULL },
		{ "big", "a,b", "Rules.Big (line 8): a big one needs c or d" },
		{ "small", "x,x", "Rules.All (line 12): the assertion does not hold" },
		{ "small", "a,e", "Rules.All (line 13): the assertion does not hold" },
	};
	CLEANUP(template_freep) struct template *template = read_template(text, &strict, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(template_values_clear) struct template_values values = { NULL, 0 };
		CLEANUP(freep) char *size = xstrdup(rows[i].size), *sizes = xstrdup(rows[i].sizes);
		char size_name[] = "Size", sizes_name[] = "Sizes";
		const struct template_value given[] = { { size_name, size },
							{ sizes_name, sizes } };
		struct error error = ERROR_INIT;
		int result = template_check_values(template, &answers, given, 2, &values, &error);

		assert_int_equal(result < 0, rows[i].error != NULL);
		if (rows[i].error)
			assert_string_equal(error.text, rows[i].error);
	}
}

/* ---- outputs ---- */

static void test_outputs(void **state)
{
	static const char text[] =
		"Parameters: {P: {Type: String, Default: b}}\n"
		"Conditions: {C: !Equals [!Ref P, b], D: !Not [!Condition C]}\n"
		"Resources:\n" VPC "Outputs:\n"
		"  A: {Value: !Ref V, Description: the network}\n"
		"  B: {Value: !Ref V, Condition: D}\n"
		"  C: {Value: 1, Condition: C, Export: {Name: !Sub '${AWS::StackName}-C'}}\n";
	CLEANUP(template_freep) struct template *template = read_template(text, &strict, NULL);
	CLEANUP(evaluation_freep)
	struct evaluation *evaluation = open_evaluation(template, NULL, 0);
	CLEANUP(template_outputs_clear) struct template_outputs outputs = { NULL, 0 };
	struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(evaluation_outputs(evaluation, &outputs, &error), 0);
	assert_int_equal(outputs.count, 2);
	assert_string_equal(outputs.items[0].name, "A");
	assert_string_equal(outputs.items[0].value, "V-id");
	assert_string_equal(outputs.items[0].description, "the network");
	assert_null(outputs.items[0].export_name);
	assert_string_equal(outputs.items[1].name, "C");
	assert_string_equal(outputs.items[1].value, "1");
	assert_string_equal(outputs.items[1].export_name, "lab-C");
	assert_null(outputs.items[1].description);
}

static void test_output_errors(void **state)
{
	static const struct {
		const char *output, *error;
	} rows[] = {
		{ "{Value: !GetAZs ''}", "Outputs.O.Value (line 5): Template error: The Value "
					 "field of every Outputs member "
					 "must evaluate to a String." },
		{ "{Value: !Ref AWS::NoValue}",
		  "Outputs.O.Value (line 5): Template error: The Value field of every Outputs" },
		{ "{Value: a, Export: {Name: !GetAZs ''}}",
		  "Outputs.O.Export.Name (line 5): Template error: The Name field of every "
		  "Export" },
		{ "{Value: !Ref Gone}", "Outputs.O.Value (line 5): Template format error: "
					"Unresolved resource dependencies "
					"[Gone] in the Outputs block of the template" },
		{ "{Value: !GetAtt E.PublicIp}", "Outputs.O.Value (line 5): E has no address yet" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(freep)
		char *text = xasprintf("Resources: {E: {Type: 'AWS::EC2::EIP'},\n"
				       "  Gone: {Type: 'AWS::EC2::EIP', Condition: No}}\n"
				       "Conditions: {No: !Equals [a, b]}\n"
				       "Outputs:\n  O: %s",
				       rows[i].output);
		CLEANUP(template_freep)
		struct template *template = read_template(text, &strict, NULL);
		CLEANUP(evaluation_freep)
		struct evaluation *evaluation = open_evaluation(template, NULL, 0);
		struct template_outputs outputs = { NULL, 0 };
		struct error error = ERROR_INIT;

		assert_false(evaluation_has(evaluation, template_resource_at(template, 1)->node));
		assert_true(evaluation_has(evaluation, template_resource_at(template, 0)->node));
		assert_true(evaluation_outputs(evaluation, &outputs, &error) < 0);
		assert_int_equal(outputs.count, 0);
		if (strncmp(error.text, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("%s: %s", rows[i].output, error.text);
	}
}

static void test_attributes_of_a_resource(void **state)
{
	static const char text[] = "Parameters: {N: {Type: Number, Default: 2}}\n"
				   "Resources:\n"
				   "  A:\n"
				   "    Type: AWS::EC2::EIP\n"
				   "    CreationPolicy: {ResourceSignal: {Count: !Ref N}}\n";
	CLEANUP(template_freep) struct template *template = read_template(text, &strict, NULL);
	CLEANUP(evaluation_freep)
	struct evaluation *evaluation = open_evaluation(template, NULL, 0);
	const struct template_resource *resource = template_resource_at(template, 0);
	CLEANUP(node_freep) struct node *policy = NULL, *properties = NULL, *none = NULL;
	struct error error = ERROR_INIT;

	(void)state;
	assert_int_equal(
		evaluation_attribute(evaluation, resource, "CreationPolicy", &policy, &error), 0);
	assert_string_equal(node_get_text(node_get(policy, "ResourceSignal"), "Count"), "2");
	assert_int_equal(evaluation_attribute(evaluation, resource, "UpdatePolicy", &none, &error),
			 0);
	assert_null(none);
	assert_int_equal(evaluation_properties(evaluation, resource, &properties, &error), 0);
	assert_int_equal(properties->type, NODE_MAP);
	assert_int_equal(properties->count, 0);
}

/* ---- what is left out ---- */

static void test_skip_unsupported(void **state)
{
	static const char text[] =
		"Parameters: {P: {Type: String, Default: x1, AllowedPattern: '(?!x)'}}\n"
		"Rules: {R: {Assertions: [{Assert: {'Fn::Contains': [{'Fn::RefAll': x}, y]}}]}}\n"
		"Resources:\n"
		"  Role: {Type: 'AWS::IAM::Role', Properties: {Any: [{Ref: Nobody}]}}\n"
		"  Web:\n"
		"    Type: AWS::EC2::Instance\n"
		"    DependsOn: [Role, V]\n"
		"    Properties:\n"
		"      ImageId: ami-1\n"
		"      Monitoring: true\n"
		"      IamInstanceProfile: !If [C, !Ref Role, !Ref AWS::NoValue]\n"
		"      SecurityGroupIds: [!Ref V, !GetAtt Role.Arn, !Ref V]\n"
		"      UserData: {'Fn::Base64': !Sub 'x ${Role.Arn}'}\n"
		"      KeyName: '{{resolve:secretsmanager:x}}'\n"
		"      Tags: [{Key: a, Value: !GetAtt V.Colour}, {Key: b, Value: !Transform {Name: "
		"x}}]\n"
		"  Lost: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: !Ref Chain}}\n"
		"  Chain: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: !Ref Role}}\n" VPC
		"Conditions: {C: !Equals [!Ref P, x1]}\n"
		"Outputs:\n"
		"  A: {Value: !Sub '${Role}'}\n"
		"  B: {Value: !Ref V, Export: {Name: !Ref Lost}}\n"
		"  C: {Value: !Ref V}\n";
	static const char *const lines[] = {
		"Parameters.P (line 1): AllowedPattern can't be checked: it looks ahead "
		"or "
		"behind, or sets a flag",
		"Rules.R (line 2): Fn::RefAll is not supported",
		"Resources.Role (line 4): minivpc does not support AWS::IAM::Role",
		"Resources.Web.Properties.Monitoring (line 10): not supported",
		"Resources.Web.Properties.IamInstanceProfile (line 11): Role is left out",
		"Resources.Web.Properties.SecurityGroupIds[1] (line 12): Role is left "
		"out",
		"Resources.Web.Properties.UserData (line 13): Role is left out",
		"Resources.Web.Properties.KeyName (line 14): "
		"{{resolve:secretsmanager:…}} is "
		"not supported",
		"Resources.Web.Properties.Tags[0].Value (line 15): Template error: "
		"resource "
		"V does not support attribute type Colour in Fn::GetAtt",
		"Resources.Web.Properties.Tags[1].Value (line 15): Fn::Transform is not "
		"supported",
		"Resources.Chain.Properties.CidrBlock (line 17): Role is left out",
		"Resources.Chain (line 17): Resources.Chain.Properties (line 17): "
		"Property "
		"CidrBlock cannot be empty.",
		"Resources.Lost.Properties.CidrBlock (line 16): Chain is left out",
		"Resources.Lost (line 16): Resources.Lost.Properties (line 16): Property "
		"CidrBlock cannot be empty.",
		"Outputs.A (line 21): Role is left out",
		"Outputs.B (line 22): Lost is left out",
	};
	CLEANUP(text_lines_clear) struct text_lines warnings = { NULL, 0 };
	CLEANUP(template_freep)
	struct template *template = read_template(text, &skipping, &warnings);
	CLEANUP(evaluation_freep)
	struct evaluation *evaluation = open_evaluation(template, NULL, 0);
	CLEANUP(template_outputs_clear) struct template_outputs outputs = { NULL, 0 };
	CLEANUP(node_freep) struct node *properties = NULL;
	CLEANUP(freep) char *json = NULL;
	struct error error = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < MIN(warnings.count, ARRAY_SIZE(lines)); i++)
		assert_string_equal(warnings.items[i], lines[i]);
	assert_int_equal(warnings.count, ARRAY_SIZE(lines));
	assert_int_equal(template_resource_count(template), 2);
	assert_string_equal(template_resource_at(template, 0)->name, "Web");
	assert_int_equal(template_resource_at(template, 0)->dependency_count, 1);
	assert_string_equal(template_resource_at(template, 1)->name, "V");
	assert_int_equal(evaluation_properties(evaluation, template_resource_at(template, 0),
					       &properties, &error),
			 0);
	json = json_of(properties);
	assert_string_equal(json, "{\"ImageId\":\"ami-1\",\"SecurityGroupIds\":[\"V-id\",\"V-id\"],"
				  "\"Tags\":[{\"Key\":\"a\"},{\"Key\":\"b\"}]}");
	assert_int_equal(evaluation_outputs(evaluation, &outputs, &error), 0);
	assert_int_equal(outputs.count, 1);
	assert_string_equal(outputs.items[0].name, "C");
}

/* ---- bounds ---- */

/* What one resource's values are at most; and that it says so at once. */
static void test_large_values(void **state)
{
	/* each makes much of little */
	static const struct {
		const char *text;
		unsigned int count;
	} makers[] = {
		{ "!GetAZs 'a',", 45000 },
		{ "!Cidr ['::/0',200,8],", 1000 },
		{ "!Ref List,", 60000 },
		{ "!Split [a,aaaaaaaaaa],", 20000 },
	};
	CLEANUP(buffer_clear) struct buffer nested = BUFFER_INIT;
	CLEANUP(node_freep) struct node *properties = NULL;
	struct error error = ERROR_INIT;
	clock_t start = clock();

	(void)state;
	/* each level has the one below ten times: eight of them would be 10^8 */
	buffer_puts(&nested, "!Sub ['${v}");
	for (unsigned int i = 0; i < 9; i++)
		buffer_puts(&nested, "${v}");
	buffer_puts(&nested, "', {v: ");
	for (unsigned int level = 0; level < 7; level++) {
		buffer_puts(&nested, "!Sub ['");
		for (unsigned int i = 0; i < 10; i++)
			buffer_puts(&nested, "${v}");
		buffer_puts(&nested, "', {v: ");
	}
	buffer_puts(&nested, "x");
	for (unsigned int level = 0; level < 8; level++)
		buffer_puts(&nested, "}]");
	assert_true(evaluate_frame(nested.data, &properties, &error) < 0);
	assert_non_null(strstr(error.text, "the values are larger than 8 MB"));
	assert_null(properties);
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		CLEANUP(buffer_clear) struct buffer list = BUFFER_INIT;

		buffer_putc(&list, '[');
		for (unsigned int j = 0; j < makers[i].count; j++)
			buffer_puts(&list, makers[i].text);
		buffer_putc(&list, ']');
		if (evaluate_frame(list.data, &properties, &error) == 0)
			fail_msg("%s: no error", makers[i].text);
		if (!strstr(error.text, "the values are larger than 8 MB"))
			fail_msg("%s: %s", makers[i].text, error.text);
	}
	assert_true(is_within(5, start));
}

/* A template as large as one may be takes no time to read. */
static void test_large_template(void **state)
{
	CLEANUP(freep)
	char *chain = many("Conditions:\n  C0: !Equals [a, a]\n", "  D", ": !Equals [a, b]\n", 999,
			   "Resources:\n" VPC);
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	CLEANUP(template_freep) struct template *template = NULL, *linked = NULL;
	CLEANUP(evaluation_freep) struct evaluation *evaluation = NULL;
	clock_t start = clock();

	(void)state;
	buffer_puts(&text, "Conditions:\n");
	for (unsigned int i = 0; i < 999; i++)
		buffer_printf(&text, "  C%u: !Not [!Condition C%u]\n", i, i + 1);
	buffer_puts(&text, "  C999: !Equals [a, a]\nResources:\n");
	for (unsigned int i = 0; i < 499; i++)
		buffer_printf(&text,
			      "  R%u: {Type: 'AWS::EC2::EIP', DependsOn: R%u, Condition: C%u}\n", i,
			      i + 1, i);
	buffer_puts(&text, "  R499: {Type: 'AWS::EC2::EIP'}\n");
	template = read_template(chain, &strict, NULL);
	linked = read_template(text.data, &strict, NULL);
	evaluation = open_evaluation(linked, NULL, 0);
	for (unsigned int i = 0; i < 499; i++)
		assert_int_equal(evaluation_has(evaluation, template_resource_at(linked, i)->node),
				 i % 2);
	assert_true(is_within(5, start));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_function_errors),
		cmocka_unit_test(test_template_errors),
		cmocka_unit_test(test_quotas),
		cmocka_unit_test(test_lacks_listed),
		cmocka_unit_test(test_declarations),
		cmocka_unit_test(test_parameter_values),
		cmocka_unit_test(test_zone_by_shape),
		cmocka_unit_test(test_names_given),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_outputs),
		cmocka_unit_test(test_output_errors),
		cmocka_unit_test(test_attributes_of_a_resource),
		cmocka_unit_test(test_skip_unsupported),
		cmocka_unit_test(test_large_values),
		cmocka_unit_test(test_large_template),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
