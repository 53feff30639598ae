//! AWS managed keys: one per account, Region and service, made when a service first needs it, with
//! a policy that lets callers use it through that service only.
//!
//! Their policies let nobody disable, delete, rename, tag or re-open them, and nobody can change
//! their policies; that is all that keeps them as they are.
//!
//! Source: Developer Guide, "AWS managed keys", and the policies as AWS shows them.

use std::collections::{BTreeMap, BTreeSet};

use haechi_core::database::Unknown;
use haechi_core::{AccountId, Batch, Cx, PrincipalIds, Region};
use haechi_crypto::KeySpec;
use haechi_wire::Fault;

use crate::Kms;
use crate::identifier::arn;
use crate::key::State;
use crate::key_text::Aside;
use crate::material::MaterialRecord;
use crate::rotation::{PERIOD_DAYS_DEFAULT, Rotation};
use crate::store::{AliasRecord, HandleRecord, KeyRecord, alias_path, handle_path};

/// What the names of their aliases begin with; no customer's does.
pub(crate) const ALIAS_PREFIX: &str = "alias/aws/";

/// How often the row is read anew when another request makes the same key.
const ATTEMPTS: usize = 8;

/// A service that has a key of its own in each account.
struct Service {
    /// As in the alias: `ssm`.
    name: &'static str,
    /// As in `kms:ViaService`, before the Region.
    via: &'static str,
    /// As in the policy's `Sid`.
    title: &'static str,
    /// What the key protects, as in its description.
    protects: &'static str,
    /// Whether it makes grants for its resources.
    grants: bool,
}

const fn service(
    name: &'static str,
    via: &'static str,
    title: &'static str,
    protects: &'static str,
    grants: bool,
) -> Service {
    Service { name, via, title, protects, grants }
}

/// In order of their names.
const SERVICES: &[Service] = &[
    service("acm", "acm", "ACM", "ACM private keys", true),
    service("dynamodb", "dynamodb", "Amazon DynamoDB", "DynamoDB data", true),
    service("ebs", "ec2", "EBS", "EBS volumes", true),
    service("elasticfilesystem", "elasticfilesystem", "EFS", "EFS filesystems", true),
    service("lambda", "lambda", "AWS Lambda", "Lambda functions", true),
    service("rds", "rds", "RDS", "RDS database volumes", true),
    service("s3", "s3", "S3", "S3 objects", false),
    service(
        "secretsmanager",
        "secretsmanager",
        "AWS Secrets Manager",
        "Secrets Manager data",
        true,
    ),
    service("sns", "sns", "SNS", "SNS data", true),
    service("sqs", "sqs", "SQS", "SQS messages", true),
    service("ssm", "ssm", "SSM", "SSM parameters", true),
];

impl Service {
    fn alias(&self) -> String {
        format!("{ALIAS_PREFIX}{}", self.name)
    }

    fn policy(&self, partition: &str, account: &str, region: &str) -> String {
        let Service { name, via, title, .. } = self;
        let (create, revoke) = if self.grants {
            (r#", "kms:CreateGrant""#, r#", "kms:RevokeGrant""#)
        } else {
            ("", "")
        };
        format!(
            r#"{{
  "Version" : "2012-10-17",
  "Id" : "auto-{name}-2",
  "Statement" : [ {{
    "Sid" : "Allow access through {title} for all principals in the account that are authorized to use {title}",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "*"
    }},
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*"{create}, "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {{
      "StringEquals" : {{
        "kms:CallerAccount" : "{account}",
        "kms:ViaService" : "{via}.{region}.amazonaws.com"
      }}
    }}
  }}, {{
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:{partition}:iam::{account}:root"
    }},
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*"{revoke} ],
    "Resource" : "*"
  }} ]
}}"#
        )
    }
}

impl KeyRecord {
    /// Whether it belongs to a service: only then has it such an alias.
    pub(crate) fn is_aws_managed(&self) -> bool {
        self.aliases.iter().any(|name| name.starts_with(ALIAS_PREFIX))
    }
}

impl Kms {
    /// The predefined aliases that have no key yet in the caller's account and Region, in order.
    pub(crate) async fn unused_managed_aliases(&self, cx: &Cx) -> Result<Vec<String>, Fault> {
        let mut unused = Vec::new();
        for service in SERVICES {
            let name = service.alias();
            if !self.has_alias(cx, &name).await? {
                unused.push(name);
            }
        }
        Ok(unused)
    }

    /// How many keys of an account in a Region belong to services.
    pub(crate) async fn managed_keys(&self, account: &str, region: &str) -> Result<usize, Fault> {
        let mut managed = 0;
        for service in SERVICES {
            let path = alias_path(account, region, &service.alias());
            let alias = self.database.cached(&path, |row: AliasRecord| Ok(row)).await?;
            managed += usize::from(alias.is_some());
        }
        Ok(managed)
    }

    async fn has_alias(&self, cx: &Cx, name: &str) -> Result<bool, Fault> {
        let path = alias_path(cx.account().as_str(), cx.region.as_str(), name);
        Ok(self.database.cached(&path, |row: AliasRecord| Ok(row)).await?.is_some())
    }

    /// Makes the key of a predefined alias that is about to be described for the first time, as AWS
    /// does, if the caller may describe the account's keys.
    pub(crate) async fn make_described(&self, cx: &Cx, key_id: &str) -> Result<(), Fault> {
        let own = arn(cx, cx.account().as_str(), "");
        let name = key_id.strip_prefix(&own).unwrap_or(key_id);
        let Some(service) = SERVICES.iter().find(|service| service.alias() == name) else {
            return Ok(());
        };
        let every_key = arn(cx, cx.account().as_str(), "key/*");
        if self.has_alias(cx, name).await? || cx.authorize_on(&every_key).is_err() {
            return Ok(());
        }
        self.aws_managed_key(cx.account(), &cx.region, service.name).await?;
        Ok(())
    }

    /// The ARN of the AWS managed key of a service (`ssm`, `s3`, …), made now if it is not there.
    ///
    /// # Errors
    /// If the store or randomness fails, or there is no such service.
    pub async fn aws_managed_key(
        &self,
        account: &AccountId,
        region: &Region,
        service: &str,
    ) -> Result<String, Fault> {
        let Some(service) = SERVICES.iter().find(|known| known.name == service) else {
            return Err(Fault::internal(format!("{service} has no AWS managed key")));
        };
        let (account, name) = (account.as_str(), service.alias());
        let path = alias_path(account, region.as_str(), &name);
        for _ in 0..ATTEMPTS {
            let alias = self.database.cached(&path, |row: AliasRecord| Ok(row)).await?;
            let partition = region.partition();
            if let Some(alias) = alias {
                return Ok(format!("arn:{partition}:kms:{region}:{account}:key/{}", alias.key_id));
            }
            match self.make_managed(service, &name, account, region).await {
                // Another request has made it meanwhile.
                Err(Fault::Conflict) => {}
                other => return other,
            }
        }
        Err(Fault::Conflict)
    }

    async fn make_managed(
        &self,
        service: &Service,
        name: &str,
        account: &str,
        region: &Region,
    ) -> Result<String, Fault> {
        let (partition, now_ms) = (region.partition(), self.env.now().millis());
        let id = self.env.uuid().map_err(Fault::internal)?.to_string();
        let protects = service.protects;
        let mut record = KeyRecord {
            arn: format!("arn:{partition}:kms:{region}:{account}:key/{id}"),
            account: account.to_owned(),
            region: region.as_str().to_owned(),
            description: format!(
                "Default key that protects my {protects} when no other key is defined"
            ),
            spec: "SYMMETRIC_DEFAULT".to_owned(),
            usage: "ENCRYPT_DECRYPT".to_owned(),
            origin: "AWS_KMS".to_owned(),
            state: State::Enabled,
            created_ms: now_ms,
            deletion_ms: None,
            policy: service.policy(partition, account, region.as_str()),
            policy_principals: PrincipalIds::default(),
            tags: BTreeMap::new(),
            aliases: BTreeSet::from([name.to_owned()]),
            materials: Vec::new(),
            rotation: Some(Rotation::starting(now_ms, PERIOD_DAYS_DEFAULT)),
            multi_region: None,
            deletion_window_days: None,
            used_import_tokens: Vec::new(),
            custom_key_store: None,
            aside: Aside::default(),
            unknown: Unknown::new(),
            id,
        };
        let secret = self.workers.generate(KeySpec::SymmetricDefault, &self.env.random).await?;
        let keyring = self.database.keyring();
        let material = MaterialRecord::wrap(&self.env, &keyring, &record, &secret, now_ms)?;
        let alias = AliasRecord {
            name: name.to_owned(),
            key_id: record.id.clone(),
            created_ms: now_ms,
            updated_ms: now_ms,
            unknown: Unknown::new(),
        };
        let mut batch = Batch::new();
        batch.create(handle_path(&material.handle()), &HandleRecord::of(&record));
        record.materials.push(material);
        if let Some(job) = record.rotation_job() {
            batch.schedule(&job);
        }
        batch.create(alias_path(account, region.as_str(), name), &alias);
        record.create(&mut batch);
        self.database.commit(batch).await?;
        Ok(record.arn)
    }
}
