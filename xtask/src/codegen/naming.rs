//! From AWS's names to Rust's.

/// `GenerateDataKeyWithoutPlaintext` → `generate_data_key_without_plaintext`,
/// `AWSAccountId` → `aws_account_id`, `MFASerial` → `mfa_serial`.
pub fn snake(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (index, character) in characters.iter().enumerate() {
        if !character.is_ascii_alphanumeric() {
            out.push('_');
            continue;
        }
        let before = index.checked_sub(1).and_then(|before| characters.get(before));
        let after = characters.get(index + 1);
        let starts_word = character.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if starts_word && !out.ends_with('_') {
            out.push('_');
        }
        out.push(character.to_ascii_lowercase());
    }
    if KEYWORDS.contains(&out.as_str()) { format!("r#{out}") } else { out }
}

const KEYWORDS: &[&str] = &["type", "match", "ref", "use", "where", "move", "mod", "in", "loop"];

/// `KeyIdType` → `KEY_ID_TYPE`.
pub fn constant(name: &str) -> String {
    snake(name).trim_start_matches("r#").to_ascii_uppercase()
}

/// `keyIdType` → `KeyIdType`; `SYMMETRIC_DEFAULT` → `SymmetricDefault`; `aws:kms` → `AwsKms`.
pub fn camel(name: &str) -> String {
    let all_capitals = !name.chars().any(|character| character.is_ascii_lowercase());
    let mut out = String::new();
    let mut upper = true;
    for character in name.chars() {
        if !character.is_ascii_alphanumeric() {
            upper = true;
        } else if upper {
            out.push(character.to_ascii_uppercase());
            upper = false;
        } else if all_capitals {
            out.push(character.to_ascii_lowercase());
        } else {
            out.push(character);
        }
    }
    if out.starts_with(|first: char| first.is_ascii_digit()) {
        out.insert(0, 'V');
    }
    if out == "Self" {
        out.push('_');
    }
    out
}

/// The order in which a Java `HashSet` of these strings iterates: AWS's validation messages list
/// enumerations so (recorded: `[HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512]`).
pub fn java_order(values: &[String]) -> Vec<String> {
    let mut buckets = 16_u32;
    while values.len() as f64 > f64::from(buckets) * 0.75 {
        buckets *= 2;
    }
    let bucket = |value: &String| {
        let hash = value
            .encode_utf16()
            .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
        (hash ^ (hash >> 16)) & (buckets - 1)
    };
    let mut ordered = values.to_vec();
    ordered.sort_by_key(bucket);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_rust() {
        assert_eq!(snake("GenerateDataKeyWithoutPlaintext"), "generate_data_key_without_plaintext");
        assert_eq!(snake("AWSAccountId"), "aws_account_id");
        assert_eq!(snake("Type"), "r#type");
        assert_eq!(constant("keyIdType"), "KEY_ID_TYPE");
        assert_eq!(camel("SYMMETRIC_DEFAULT"), "SymmetricDefault");
        assert_eq!(camel("existingUserNameType"), "ExistingUserNameType");
    }

    #[test]
    fn enumerations_stand_in_the_order_recorded_from_kms() {
        let values = ["HMAC_SHA_224", "HMAC_SHA_256", "HMAC_SHA_384", "HMAC_SHA_512"];
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        assert_eq!(
            java_order(&values),
            ["HMAC_SHA_384", "HMAC_SHA_256", "HMAC_SHA_224", "HMAC_SHA_512"]
        );
    }
}
