//! The picture that an authenticator app reads a seed from.

use haechi_wire::Fault;
use png::{BitDepth, ColorType, Encoder};
use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

/// Pixels to a module's side.
const SCALE: usize = 4;

/// Modules of white around the code (ISO/IEC 18004 asks for four).
const MARGIN: usize = 4;

/// A PNG, black on white, of a QR code that says `text`.
pub(crate) fn png(text: &str) -> Result<Vec<u8>, Fault> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).map_err(Fault::internal)?;
    let modules = usize::try_from(code.size()).unwrap_or_default();
    let side = (modules + 2 * MARGIN) * SCALE;
    let is_dark = |at: usize| {
        let module = |pixel: usize| {
            i32::try_from(pixel / SCALE).unwrap_or_default() - i32::try_from(MARGIN).unwrap_or(0)
        };
        code.get_module(module(at % side), module(at / side))
    };
    let pixels = (0..side * side).map(|at| if is_dark(at) { 0 } else { 255 });
    let pixels = Zeroizing::new(pixels.collect::<Vec<u8>>());
    let length = u32::try_from(side).unwrap_or_default();
    let mut out = Vec::with_capacity(16 * 1024);
    let mut encoder = Encoder::new(&mut out, length, length);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(Fault::internal)?;
    writer.write_image_data(&pixels).map_err(Fault::internal)?;
    writer.finish().map_err(Fault::internal)?;
    Ok(out)
}
