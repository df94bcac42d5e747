//! Compiles proto/ without a protoc binary: protox reads it, tonic-prost-build writes the code.
//!
//! What is personal is marked in one place, by `debug_redact` beside the field in proto/. A message with such a field
//! prints the ids that it names and nothing else.

use std::fmt::Write;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let services =
        ["access", "attendance", "audit", "client", "compliance", "directory", "followup", "privacy", "scheduling"]
            .map(|name| format!("proto/aftercare/v1/{name}.proto"));
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true).open_files(services)?;
    let mut prost = tonic_prost_build::configure();
    let mut debug = String::new();
    for message in compiler.descriptor_pool().all_messages() {
        let personal = message.fields().any(|field| {
            field.options().get_field_by_name("debug_redact").is_some_and(|marked| marked.as_bool() == Some(true))
        });
        if personal {
            prost = prost.skip_debug([message.full_name()]);
            let fields = message.fields().map(|field| field.name().to_owned());
            print(&mut debug, message.name(), fields.filter(|name| name == "id" || name.ends_with("_id")))?;
        }
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("debug.rs"), debug)?;
    // With the marks, for the tests.
    std::fs::write(out.join("aftercare.bin"), compiler.encode_file_descriptor_set())?;
    prost.compile_fds(compiler.file_descriptor_set())?;
    println!("cargo:rerun-if-changed=proto");
    pack_relocations();
    Ok(())
}

/// Every table of functions has to be moved to where the program is loaded; said briefly, that takes a megabyte less.
/// Linkers that cannot say it so say it at length; the C library has understood it since 2.36.
fn pack_relocations() {
    let is = |what: &str, value: &str| std::env::var(what).is_ok_and(|it| it == value);
    if is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// Writes how a message of aftercare.v1 prints.
fn print(into: &mut String, message: &str, shown: impl Iterator<Item = String>) -> std::fmt::Result {
    writeln!(into, "impl std::fmt::Debug for {message} {{")?;
    writeln!(into, "    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{")?;
    write!(into, "        f.debug_struct({message:?})")?;
    for field in shown {
        write!(into, ".field({field:?}, &self.{field})")?;
    }
    writeln!(into, ".finish_non_exhaustive()\n    }}\n}}")
}
