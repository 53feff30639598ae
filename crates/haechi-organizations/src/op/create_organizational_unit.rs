//! Makes a unit below the root or another unit.

use haechi_core::database::Unknown;
use haechi_core::{Cx, Handle};
use haechi_organizations_model::Error;
use haechi_organizations_model::ops::CreateOrganizationalUnit;
use haechi_organizations_model::shapes::{
    CreateOrganizationalUnitRequest, CreateOrganizationalUnitResponse,
};

use crate::Organizations;
use crate::authz::{About, Reach};
use crate::change::random;
use crate::error::{constraint, no_parent, unit_exists};
use crate::organization::Organization;
use crate::store::{Hung, Row, UnitRecord};
use crate::tags;

/// Units below one another, at most.
const DEPTH_MAX: usize = 5;

/// Units of an organization, at most.
const UNITS_MAX: usize = 2000;

impl Handle<CreateOrganizationalUnit> for Organizations {
    async fn handle(
        &self,
        cx: &Cx,
        input: CreateOrganizationalUnitRequest,
    ) -> Result<CreateOrganizationalUnitResponse, Error> {
        let parent = input.parent_id.as_str();
        let tags = input.tags.as_deref().unwrap_or_default();
        let about = |it: &Organization| About::of(it, &[parent]).tags(tags);
        let organization = self.admit(cx, Reach::Management, about).await?;
        let root = organization.record().root_id.trim_start_matches("r-");
        let id = format!("ou-{root}-{}", random(&self.env, 8)?);
        organization.admit_tags(cx, &About::arn(organization.arn_of(&id)).tags(tags))?;
        if organization.parent(parent).is_none() {
            return Err(no_parent());
        }
        // The line has the root too.
        if organization.line(parent).len() > DEPTH_MAX {
            let message = "You have exceeded the maximum depth of the organizational unit tree.";
            return Err(constraint("OU_DEPTH_LIMIT_EXCEEDED", message));
        }
        if organization.units.len() >= UNITS_MAX {
            let message = "You have exceeded the number of organizational units allowed.";
            return Err(constraint("OU_NUMBER_LIMIT_EXCEEDED", message));
        }
        if organization.units_of(parent).any(|unit| unit.name == input.name) {
            return Err(unit_exists());
        }
        let unit = UnitRecord {
            id,
            name: input.name,
            parent: parent.to_owned(),
            hung: Hung { tags: tags::new(input.tags.as_ref())?, ..Hung::default() },
            unknown: Unknown::new(),
        };
        let mut change = organization.change();
        let rows = Row::Unit.prefix(organization.management(), organization.id());
        change.batch.create(rows.part(&unit.id), &unit);
        let organizational_unit = Some(organization.shown_unit(&unit));
        self.save(cx, change).await?;
        Ok(CreateOrganizationalUnitResponse { organizational_unit })
    }
}
