//! JPEG XL, as a file of boxes and as a bare codestream, by `jxl`.

use jxl::api::ExtraChannel;
use jxl::api::{
    Event, JxlColorType, JxlDataFormat, JxlDecoder, JxlDecoderOptions, JxlOutputBuffer, JxlPixelFormat, ProfileLevel,
};

use super::{Decoded, Failure, Limits, Role, Run, guarded, pixels};
use crate::Layout;

const DECODER: &str = "jxl 0.8.0";

/// What the header said.
struct Shape {
    width: u32,
    height: u32,
    layout: Layout,
}

pub(super) fn decode(bytes: &[u8], run: &mut Run<'_>) {
    let limits = run.limits;
    let mut options = JxlDecoderOptions::default();
    options.adjust_orientation = false;
    options.max_profile_level = ProfileLevel::Main10;
    options.sample_limit = usize::try_from(limits.max_pixels.saturating_mul(4)).ok();
    let mut decoder = JxlDecoder::new(options);
    let mut input = bytes;
    let mut shape = None;
    let mut orientation = None;
    // The header, as a step of its own; the picture itself comes with the frames.
    let header = guarded_unit(|| {
        match decoder.process(&mut input, None, None) {
            Ok(Event::BasicInfo) => {}
            Ok(_) => return Err(Failure::damaged("the file ends within its header")),
            Err(error) => return Err(Failure::damaged(error)),
        }
        shape = Some(start(&mut decoder, &limits)?);
        orientation = decoder.basic_info().map(|info| info.orientation as u8);
        Ok(())
    });
    let shape = match (header, shape) {
        (Ok(()), Some(shape)) => shape,
        (Err(failure), _) => return run.give(Role::Primary, None, Err(failure)),
        (Ok(()), None) => return,
    };
    let mut frames = 0u32;
    loop {
        let role = if frames == 0 { Role::Primary } else { Role::Frame };
        let mut more = false;
        let wanted = frames < limits.max_frames && !run.full();
        let result = guarded(|| {
            let (decoded, has_more) = frame(&mut decoder, &mut input, &shape, wanted)?;
            more = has_more;
            Ok(decoded)
        });
        if wanted {
            more &= result.as_ref().is_ok_and(|decoded| decoded.partial.is_none());
            run.give(role, orientation, result);
        } else if result.is_ok() {
            run.leave_out("frame-limit", 1);
        } else {
            run.leave_out("unread-frame", 1);
            more = false;
        }
        frames = frames.saturating_add(1);
        if !more {
            return;
        }
    }
}

fn guarded_unit(how: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(how))
        .unwrap_or_else(|_| Err(Failure::new("decoder-fault", "the decoder stopped on an assertion of its own")))
}

/// Checks the declared size and asks for eight bits.
fn start(decoder: &mut JxlDecoder, limits: &Limits) -> Result<Shape, Failure> {
    let info = decoder.basic_info().ok_or_else(|| Failure::damaged("no header"))?;
    let side = |v: usize| u32::try_from(v).map_err(|_| Failure::new("too-large", "a side of more than 32 bits"));
    let (width, height) = (side(info.size.0)?, side(info.size.1)?);
    // Up to a float for every channel of the frame and of one it refers to, and the result.
    let extra = info.extra_channels.len() as u64;
    limits.check(width, height, extra.saturating_add(3).saturating_mul(8).saturating_add(4))?;
    let alpha = info.extra_channels.iter().any(|c| c.ec_type == ExtraChannel::Alpha);
    let black = info.extra_channels.iter().any(|c| c.ec_type == ExtraChannel::Black);
    if black {
        return Err(Failure::unsupported("a picture in inks (CMYK)"));
    }
    let grey = decoder.current_pixel_format().is_some_and(|f| f.color_type.is_grayscale());
    let (layout, color_type) = match (grey, alpha) {
        (true, false) => (Layout::Grey, JxlColorType::Grayscale),
        (_, true) => (Layout::Rgba, JxlColorType::Rgba),
        (false, false) => (Layout::Rgb, JxlColorType::Rgb),
    };
    let format = JxlPixelFormat {
        color_type,
        color_data_format: Some(JxlDataFormat::U8 { bit_depth: 8 }),
        extra_channel_format: vec![None; info.extra_channels.len()],
    };
    decoder.set_pixel_format(format).map_err(Failure::unsupported)?;
    Ok(Shape { width, height, layout })
}

/// The next frame, and whether there are more. Of a frame that is not wanted one pixel comes back.
fn frame(decoder: &mut JxlDecoder, input: &mut &[u8], shape: &Shape, wanted: bool) -> Result<(Decoded, bool), Failure> {
    let row = (shape.width as usize).saturating_mul(shape.layout.bytes());
    let rows = shape.height as usize;
    let mut buffer = if wanted { vec![0; row.saturating_mul(rows)] } else { Vec::new() };
    let mut partial = None;
    let mut more = false;
    loop {
        let mut outputs = if wanted { vec![JxlOutputBuffer::new(&mut buffer, rows, row)] } else { Vec::new() };
        let event = decoder.process(input, wanted.then_some(outputs.as_mut_slice()), None);
        match event {
            Ok(Event::BasicInfo | Event::FrameHeader) => {}
            Ok(Event::FrameComplete { has_more_frames }) => {
                more = has_more_frames;
                break;
            }
            Ok(Event::Complete) => return Err(Failure::damaged("no further frame")),
            Ok(Event::NeedMoreInput { .. }) => partial = Some("the file ends within the picture".to_owned()),
            Err(error) => partial = Some(Failure::damaged(error).sentence),
        }
        if let Some(reason) = partial.take() {
            // What has been decoded so far, if anything.
            let drawn = wanted && decoder.flush_pixels(&mut outputs, None).unwrap_or(false);
            drop(outputs);
            if !drawn && buffer.iter().all(|&b| b == 0) {
                return Err(Failure::damaged(reason));
            }
            partial = Some(reason);
            break;
        }
    }
    let pixels = if wanted {
        pixels(shape.width, shape.height, shape.layout, buffer)?
    } else {
        pixels(1, 1, Layout::Grey, vec![0])?
    };
    Ok((Decoded { pixels, decoder: DECODER, partial }, more))
}
