//! What a `Cargo.lock` says.

/// Names and versions of the packages that a `Cargo.lock` takes from a registry.
pub(super) fn from_registry(lock: &str) -> impl Iterator<Item = (&str, &str)> {
    lock.split("[[package]]").filter_map(|package| {
        let field = |name: &str| {
            package.lines().find_map(|line| {
                line.strip_prefix(name)?
                    .strip_prefix(" = \"")?
                    .split('"')
                    .next()
            })
        };
        field("source")?.starts_with("registry").then_some(())?;
        Some((field("name")?, field("version")?))
    })
}

/// Whether cargo takes one of these versions for the other.
pub(super) fn are_compatible(one: &str, other: &str) -> bool {
    let key = |version: &str| -> Vec<String> {
        let mut parts = version.split('.').map(str::to_owned);
        let first = parts.next().into_iter();
        let zero = version.starts_with("0.");
        first.chain(parts.take(usize::from(zero))).collect()
    };
    key(one) == key(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_lock_takes_from_a_registry() {
        let lock = "version = 4\n\n\
            [[package]]\nname = \"mio\"\nversion = \"1.2.4\"\nsource = \"registry+https://r\"\n\n\
            [[package]]\nname = \"tokio\"\nversion = \"1.54.1\"\ndependencies = [\n \"mio\",\n]\n";
        assert_eq!(from_registry(lock).collect::<Vec<_>>(), [("mio", "1.2.4")]);
    }

    #[test]
    fn versions_are_compatible_up_to_the_first_number_that_is_not_zero() {
        assert!(are_compatible("1.2.4", "1.12.0"));
        assert!(are_compatible("0.8.4", "0.8.8"));
        assert!(!are_compatible("0.8.8", "0.9.0"));
        assert!(!are_compatible("1.0.0", "2.0.0"));
    }
}
