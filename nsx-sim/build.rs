//! How the program is linked, and what is packed into it.
//!
//! The schemas of its description are text that few ask for: they are compressed.
//!
//! Some six hundred types have code of their own that reads and prints them, and much of it is the
//! same to the byte. The linker that rustc brings on this target folds that into one. A program at a
//! fixed address needs no relocations, which would be a megabyte to read at every start and as much
//! memory of its own; what is lost is that its code lies at an address unknown to an attacker, and a
//! simulator guards nothing. Code that every start runs lies together, apart from what few runs need:
//! see `layout/layout.ld`. With `NSX_SIM_PLAIN` in the environment nothing is folded and laid out, so that
//! `layout/profile` sees each function by its own name.

use miniz_oxide::deflate::compress_to_vec_zlib;
use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    pack("src/http/openapi/schemas.json", "schemas.zlib")?;
    link();
    Ok(())
}

/// Compresses a file beside this one into the build's directory.
fn pack(file: &str, packed: &str) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={file}");
    let place = Path::new(&env::var("OUT_DIR")?).join(packed);
    Ok(fs::write(place, compress_to_vec_zlib(&fs::read(file)?, 10))?)
}

fn link() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=layout");
    println!("cargo:rerun-if-env-changed=NSX_SIM_PLAIN");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|own| own == value);
    let of_rustc = is("CARGO_CFG_TARGET_ARCH", "x86_64")
        && is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ENV", "gnu");
    if of_rustc && is("PROFILE", "release") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
        if env::var_os("NSX_SIM_PLAIN").is_some() {
            return;
        }
        let place = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
        println!("cargo:rustc-link-arg-bins=-Wl,-L,{place}/layout");
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{place}/layout/layout.ld");
    }
}
