//! Plots, as SVG.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::outcome::Outcome;
use crate::table::{LIBC, OURS, PUBLISHED};
use crate::whole::Whole;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

const INK: RGBColor = RGBColor(40, 44, 52);
const FAINT: RGBColor = RGBColor(222, 225, 230);

/// Each subject has a colour of its own, in every plot.
fn colour(subject: &str) -> RGBColor {
    match subject {
        "mio" | "tokio on mio" => RGBColor(0, 128, 115),
        "mio 1.2.5" | "tokio on mio 1.2.5" => RGBColor(214, 96, 52),
        "libc" => RGBColor(106, 117, 138),
        "inline" => RGBColor(176, 184, 199),
        "polling 3.11" => RGBColor(124, 92, 188),
        _ => RGBColor(122, 190, 182),
    }
}

fn text(area: &Area<'_>, at: (i32, i32), size: i32, anchor: HPos, words: &str) -> Result {
    let style = ("sans-serif", size)
        .into_font()
        .color(&INK)
        .pos(Pos::new(anchor, VPos::Center));
    area.draw(&Text::new(words.to_owned(), at, style))?;
    Ok(())
}

fn line(area: &Area<'_>, from: (i32, i32), to: (i32, i32), style: ShapeStyle) -> Result {
    area.draw(&PathElement::new(vec![from, to], style))?;
    Ok(())
}

/// Names and colours, one after the other.
fn legend(area: &Area<'_>, mut at: (i32, i32), names: &[&str]) -> Result {
    for name in names {
        let (x, y) = at;
        area.draw(&Rectangle::new(
            [(x, y - 5), (x + 10, y + 5)],
            colour(name).filled(),
        ))?;
        text(area, (x + 16, y), 13, HPos::Left, name)?;
        at.0 += 46 + 8 * name.len() as i32;
    }
    Ok(())
}

/// What this crate takes of the time of others: for each operation a dot for the median, a line for the quartiles.
pub(crate) fn ratios(path: &Path, outcomes: &[Outcome]) -> Result {
    const LEFT: i32 = 210;
    const WIDTH: i32 = 560;
    const ROW: i32 = 26;
    const TOP: i32 = 86;
    const MOST: f64 = 1.2;

    let height = TOP + ROW * outcomes.len() as i32 + 20;
    let area = SVGBackend::new(path, ((LEFT + WIDTH + 90) as u32, height as u32));
    let area = area.into_drawing_area();
    area.fill(&WHITE)?;
    let title = "Time of this crate, as a share of the time of others (less is better)";
    text(&area, (16, 20), 17, HPos::Left, title)?;
    legend(&area, (16, 46), &[PUBLISHED, LIBC])?;
    let x = |ratio: f64| LEFT + (ratio.clamp(0.0, MOST) / MOST * f64::from(WIDTH)) as i32;
    for tick in 0..=6 {
        let ratio = f64::from(tick) * 0.2;
        let style = if tick == 5 {
            INK.stroke_width(1)
        } else {
            FAINT.stroke_width(1)
        };
        line(&area, (x(ratio), TOP - 8), (x(ratio), height - 16), style)?;
        text(
            &area,
            (x(ratio), TOP - 18),
            12,
            HPos::Center,
            &format!("{ratio:.1}"),
        )?;
    }
    for (row, outcome) in outcomes.iter().enumerate() {
        let y = TOP + ROW * row as i32 + ROW / 2;
        text(
            &area,
            (LEFT - 10, y),
            13,
            HPos::Right,
            outcome.operation.name,
        )?;
        for (name, y) in [(PUBLISHED, y - 4), (LIBC, y + 5)] {
            let Some(ratio) = outcome.ratio(OURS, name) else {
                continue;
            };
            let colour = colour(name);
            let ends = ((x(ratio.low), y), (x(ratio.high), y));
            line(&area, ends.0, ends.1, colour.stroke_width(2))?;
            area.draw(&Circle::new((x(ratio.middle), y), 4, colour.filled()))?;
        }
        if let Some(ratio) = outcome.ratio(OURS, PUBLISHED) {
            let number = format!("{:.2}", ratio.middle);
            text(&area, (LEFT + WIDTH + 14, y), 13, HPos::Left, &number)?;
        }
    }
    area.present()?;
    Ok(())
}

/// Processor time for a request, by the number of connections.
pub(crate) fn servers(path: &Path, wholes: &[Whole]) -> Result {
    const LEFT: i32 = 64;
    const TOP: i32 = 84;
    const GROUP: i32 = 216;
    const BAR: i32 = 23;
    const HEIGHT: i32 = 260;

    let width = LEFT + GROUP * wholes.len() as i32 + 20;
    let area = SVGBackend::new(path, (width as u32, (TOP + HEIGHT + 44) as u32));
    let area = area.into_drawing_area();
    area.fill(&WHITE)?;
    let title = "Echo servers: processor time for a request, in µs (less is better)";
    text(&area, (16, 20), 17, HPos::Left, title)?;
    let names: Vec<&str> = wholes
        .first()
        .map(|whole| &whole.names[..])
        .unwrap_or_default()
        .iter()
        .map(String::as_str)
        .collect();
    let own: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !name.starts_with("tokio"))
        .collect();
    legend(&area, (16, 46), &own)?;
    let most = wholes
        .iter()
        .flat_map(|whole| names.iter().filter_map(|name| whole.nanos(name)))
        .fold(1.0, f64::max)
        * 1.05;
    let y = |nanos: f64| TOP + HEIGHT - (nanos / most * f64::from(HEIGHT)) as i32;
    for micros in (0..)
        .step_by(2)
        .take_while(|micros| f64::from(*micros) * 1e3 < most)
    {
        let at = y(f64::from(micros) * 1e3);
        line(&area, (LEFT, at), (width - 16, at), FAINT.stroke_width(1))?;
        text(&area, (LEFT - 10, at), 12, HPos::Right, &micros.to_string())?;
    }
    for (group, whole) in wholes.iter().enumerate() {
        let left = LEFT + GROUP * group as i32 + 8;
        for (index, name) in names.iter().enumerate() {
            let Some(nanos) = whole.nanos(name) else {
                continue;
            };
            // The two of tokio stand apart.
            let gap = if name.starts_with("tokio") { 8 } else { 0 };
            let x = left + BAR * index as i32 + gap;
            let bar = [(x, y(nanos)), (x + BAR - 3, TOP + HEIGHT)];
            area.draw(&Rectangle::new(bar, colour(name).filled()))?;
            if name.starts_with("tokio") {
                let middle = (x + BAR / 2 - 1, y(nanos) - 9);
                text(&area, middle, 11, HPos::Center, "tokio")?;
            }
        }
        let middle = left + BAR * names.len() as i32 / 2;
        text(
            &area,
            (middle, TOP + HEIGHT + 20),
            13,
            HPos::Center,
            &whole.title(),
        )?;
    }
    area.present()?;
    Ok(())
}

/// The share of the times that were at most so long, for each subject.
pub(crate) fn distribution(path: &Path, outcome: &Outcome, title: &str) -> Result {
    const LEFT: i32 = 64;
    const TOP: i32 = 84;
    const WIDTH: i32 = 720;
    const HEIGHT: i32 = 260;

    let area = SVGBackend::new(
        path,
        ((LEFT + WIDTH + 24) as u32, (TOP + HEIGHT + 50) as u32),
    );
    let area = area.into_drawing_area();
    area.fill(&WHITE)?;
    text(&area, (16, 20), 17, HPos::Left, title)?;
    let names: Vec<&str> = outcome
        .operation
        .subjects
        .iter()
        .map(|(name, _)| *name)
        .collect();
    legend(&area, (16, 46), &names)?;
    // As far as nine tenths of each go.
    let most = names
        .iter()
        .filter_map(|name| {
            let each = outcome.each(name)?;
            each.get(each.len() * 9 / 10)
        })
        .fold(1.0, |most: f64, nanos| most.max(*nanos));
    let x = |nanos: f64| LEFT + (nanos / most * f64::from(WIDTH)) as i32;
    let y = |share: f64| TOP + HEIGHT - (share * f64::from(HEIGHT)) as i32;
    for tick in 0..=4 {
        let share = f64::from(tick) / 4.0;
        let (at, nanos) = (y(share), most * share);
        line(&area, (LEFT, at), (LEFT + WIDTH, at), FAINT.stroke_width(1))?;
        text(
            &area,
            (LEFT - 10, at),
            12,
            HPos::Right,
            &format!("{:.0}%", share * 100.0),
        )?;
        let micros = format!("{:.1} µs", nanos / 1e3);
        text(
            &area,
            (x(nanos), TOP + HEIGHT + 20),
            12,
            HPos::Center,
            &micros,
        )?;
    }
    for name in names {
        let Some(each) = outcome.each(name) else {
            continue;
        };
        let points: Vec<(i32, i32)> = (0..=400)
            .filter_map(|step| {
                let last = each.len().checked_sub(1)?;
                let nanos = each[(each.len() * step / 400).min(last)];
                (nanos <= most).then(|| (x(nanos), y(step as f64 / 400.0)))
            })
            .collect();
        let width = if name == OURS { 3 } else { 2 };
        area.draw(&PathElement::new(points, colour(name).stroke_width(width)))?;
    }
    area.present()?;
    Ok(())
}
