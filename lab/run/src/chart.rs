//! Line charts as SVG, made to be read: labels at the lines themselves, lines told apart by dash and marker as well
//! as by colour, round numbers on the axes.

use std::fmt::Write;

/// How an axis is divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scale {
    /// Equal steps add.
    Linear,
    /// Equal steps multiply.
    Log,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Its points, with rising x.
    pub points: Vec<(f64, f64)>,
    /// How far each point may be off, or nothing.
    pub errors: Vec<f64>,
}

/// A chart of lines over one x axis.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Above the chart.
    pub title: String,
    /// Below the title, smaller.
    pub subtitle: String,
    /// What x is.
    pub x_label: String,
    /// What y is.
    pub y_label: String,
    /// How x is divided.
    pub x_scale: Scale,
    /// How y is divided; a logarithmic y ends at its lowest value above 0.
    pub y_scale: Scale,
    /// Whether round numbers of y are powers of two.
    pub y_binary: bool,
    /// How x is written at the ticks.
    pub x_text: fn(f64) -> String,
    /// How y is written at the ticks.
    pub y_text: fn(f64) -> String,
    /// The lines.
    pub lines: Vec<Line>,
    /// An x to mark, and what to say of it.
    pub mark: Option<(f64, String)>,
}

/// Colours that people with any colour vision tell apart (Okabe and Ito), black first; then darker mixtures.
const COLOURS: [&str; 10] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9", "#7a5195", "#8c6d1f",
    "#5f6b6d",
];
const DASHES: [&str; 5] = ["", "9 4", "2 4", "12 4 2 4", "5 3"];

/// Width and height of the picture, and of the room around the chart.
pub(crate) const WIDTH: f64 = 960.0;
pub(crate) const HEIGHT: f64 = 540.0;
pub(crate) const LEFT: f64 = 76.0;
pub(crate) const RIGHT: f64 = 176.0;
pub(crate) const TOP: f64 = 84.0;
pub(crate) const BOTTOM: f64 = 62.0;
/// Lowest distance between two labels at the right.
const LABEL: f64 = 17.0;

impl Chart {
    /// The range of x.
    pub(crate) fn x_range(&self) -> (f64, f64) {
        let xs = || self.lines.iter().flat_map(|line| line.points.iter().map(|point| point.0));
        let (least, most) = (xs().fold(f64::MAX, f64::min), xs().fold(f64::MIN, f64::max));
        if least < most { (least, most) } else { (most.clamp(0.5, 1.0), most.max(2.0)) }
    }

    /// The bottom and the top of y, round numbers.
    fn y_range(&self) -> (f64, f64) {
        let ys = || self.lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
        let most = ys().fold(0.0, f64::max);
        if self.y_scale == Scale::Log {
            let least = ys().filter(|&y| y > 0.0).fold(1.0, f64::min);
            return (10f64.powf(least.log10().floor()), 10f64.powf(most.max(least).log10().ceil()));
        }
        let step = self.y_step(most);
        (0.0, if most > 0.0 { (most / step).ceil() * step } else { 1.0 })
    }

    fn y_step(&self, range: f64) -> f64 {
        if self.y_binary && range > 0.0 { (range / 5.0).log2().floor().exp2().max(1.0) } else { step(range) }
    }

    fn y_ticks(&self) -> Vec<f64> {
        let (bottom, top) = self.y_range();
        if self.y_scale == Scale::Log {
            return (0..20).map(|i| bottom * 10f64.powi(i)).take_while(|&y| y <= top * 1.0001).collect();
        }
        let step = self.y_step(top);
        (0..20).map(|i| f64::from(i) * step).take_while(|&y| y <= top * 1.0001).collect()
    }

    fn x(&self, value: f64) -> f64 {
        let (least, most) = self.x_range();
        let part = match self.x_scale {
            Scale::Linear => (value - least) / (most - least),
            Scale::Log => (value.ln() - least.ln()) / (most.ln() - least.ln()),
        };
        LEFT + part * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        let (bottom, top) = self.y_range();
        let part = match self.y_scale {
            Scale::Linear => (value - bottom) / (top - bottom),
            Scale::Log => (value.max(bottom) / bottom).ln() / (top / bottom).max(1.0001).ln(),
        };
        HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
    }

    /// The picture.
    #[must_use]
    pub fn svg(&self) -> String {
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"Helvetica, \
             Arial, sans-serif\" font-size=\"13\" fill=\"#222\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" \
             fill=\"#fff\"/>\n<text x=\"{LEFT}\" y=\"34\" font-size=\"20\" font-weight=\"bold\">{}</text>\n\
             <text x=\"{LEFT}\" y=\"58\" fill=\"#555\">{}</text>\n",
            escaped(&self.title),
            escaped(&self.subtitle)
        );
        self.axes(&mut out);
        self.mark(&mut out);
        for (number, line) in self.lines.iter().enumerate() {
            self.band(&mut out, number, line);
        }
        for (number, line) in self.lines.iter().enumerate() {
            self.line(&mut out, number, line);
        }
        self.labels(&mut out);
        out.push_str("</svg>\n");
        out
    }

    fn axes(&self, out: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for value in self.y_ticks() {
            let (y, text) = (self.y(value), (self.y_text)(value));
            put(out, format_args!("<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#e3e3e3\"/>"));
            let x = LEFT - 8.0;
            put(out, format_args!("<text x=\"{x}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>", y + 4.5));
        }
        for value in self.x_ticks() {
            let (x, text) = (self.x(value), (self.x_text)(value));
            put(out, format_args!("<path d=\"M{x:.1} {bottom}v6\" stroke=\"#888\"/>"));
            put(
                out,
                format_args!(
                    "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{text}</text>",
                    bottom + 22.0
                ),
            );
        }
        put(out, format_args!("<path d=\"M{LEFT} {bottom}H{right}\" stroke=\"#888\"/>"));
        let middle = (LEFT + right) / 2.0;
        let (x_label, y_label) = (escaped(&self.x_label), escaped(&self.y_label));
        put(
            out,
            format_args!(
                "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{x_label}</text>",
                HEIGHT - 14.0
            ),
        );
        let (x, y) = (20.0, (TOP + bottom) / 2.0);
        put(
            out,
            format_args!(
                "<text transform=\"translate({x} {y}) rotate(-90)\" text-anchor=\"middle\">{y_label}</text>"
            ),
        );
    }

    /// Round numbers along x, about eight of them; on a logarithmic axis powers of 2, or of 4, 16, ..
    fn x_ticks(&self) -> Vec<f64> {
        let (least, most) = self.x_range();
        match self.x_scale {
            Scale::Linear => {
                let step = step(most - least);
                let first = (least / step).ceil();
                (0..20).map(|i| (first + f64::from(i)) * step).take_while(|&x| x <= most).collect()
            }
            Scale::Log => {
                let doublings = (most / least).log2();
                let each = (doublings / 8.0).ceil().max(1.0);
                let first = (least.log2() / each).ceil();
                (0..20).map(|i| ((first + f64::from(i)) * each).exp2()).take_while(|&x| x <= most).collect()
            }
        }
    }

    fn mark(&self, out: &mut String) {
        let Some((at, text)) = &self.mark else { return };
        let (x, bottom) = (self.x(*at), HEIGHT - BOTTOM);
        put(
            out,
            format_args!("<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#999\" stroke-dasharray=\"3 3\"/>"),
        );
        let (anchor, dx) = if x > WIDTH / 2.0 { ("end", -6.0) } else { ("start", 6.0) };
        let text = escaped(text);
        put(
            out,
            format_args!(
                "<text x=\"{:.1}\" y=\"{}\" fill=\"#555\" text-anchor=\"{anchor}\" font-style=\"italic\">{text}</text>",
                x + dx,
                TOP + 4.0
            ),
        );
    }

    /// How far a line may be off, as a pale band behind it.
    fn band(&self, out: &mut String, number: usize, line: &Line) {
        if line.errors.iter().all(|&error| error == 0.0) {
            return;
        }
        let edge = |sign: f64| {
            let pairs = line.points.iter().zip(&line.errors);
            pairs.map(move |(&(x, y), &error)| {
                (self.x(x), self.y((y + sign * error).clamp(self.y_range().0, self.y_range().1)))
            })
        };
        let mut path = String::new();
        for (i, (x, y)) in edge(1.0).chain(edge(-1.0).rev()).enumerate() {
            put(&mut path, format_args!("{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' }));
        }
        put(out, format_args!("<path d=\"{path}Z\" fill=\"{}\" opacity=\"0.12\"/>", colour(number)));
    }

    fn line(&self, out: &mut String, number: usize, line: &Line) {
        let (colour, dash) = (colour(number), DASHES[(number / 2) % DASHES.len()]);
        let mut path = String::new();
        for (i, &(x, y)) in line.points.iter().enumerate() {
            put(
                &mut path,
                format_args!("{}{:.1} {:.1}", if i == 0 { 'M' } else { 'L' }, self.x(x), self.y(y)),
            );
        }
        let style = format!("stroke=\"{colour}\" stroke-width=\"2.2\" stroke-dasharray=\"{dash}\"");
        put(out, format_args!("<path d=\"{path}\" fill=\"none\" {style} stroke-linejoin=\"round\"/>"));
        let every = (line.points.len() / 8).max(1);
        for &(x, y) in line.points.iter().skip(number % every).step_by(every) {
            put(out, format_args!("{}", marker(number, self.x(x), self.y(y), colour)));
        }
    }

    /// Names at the right ends of the lines, moved apart where they would touch, each with its marker.
    fn labels(&self, out: &mut String) {
        let ends =
            self.lines.iter().enumerate().filter_map(|(i, line)| Some((i, self.y(line.points.last()?.1))));
        let mut places: Vec<(usize, f64, f64)> = ends.map(|(i, y)| (i, y, y)).collect();
        // From the bottom up: all lines may end at the same place there.
        places.sort_by(|a, b| {
            b.1.total_cmp(&a.1).then_with(|| self.height(b.0).total_cmp(&self.height(a.0)).reverse())
        });
        let mut free = HEIGHT - BOTTOM + 8.0;
        for place in &mut places {
            place.2 = place.1.min(free);
            free = place.2 - LABEL;
        }
        let right = WIDTH - RIGHT;
        for (number, end, y) in places {
            let (colour, x) = (colour(number), right + 30.0);
            put(
                out,
                format_args!(
                    "<path d=\"M{} {end:.1}L{} {y:.1}\" stroke=\"#bbb\"/>",
                    right + 2.0,
                    right + 14.0
                ),
            );
            put(out, format_args!("{}", marker(number, right + 20.0, y, colour)));
            let name = escaped(&self.lines[number].name);
            put(out, format_args!("<text x=\"{x}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>", y + 4.5));
        }
    }

    /// How high a line lies on the whole, to order labels of lines that end together.
    fn height(&self, line: usize) -> f64 {
        self.lines[line].points.iter().map(|point| point.1).sum()
    }
}

pub(crate) fn colour(number: usize) -> &'static str {
    COLOURS[number % COLOURS.len()]
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = out.write_fmt(text);
    out.push('\n');
}

/// A small shape, another for each of five lines, hollow after that.
fn marker(number: usize, x: f64, y: f64, colour: &str) -> String {
    let fill = if (number / 5).is_multiple_of(2) { colour } else { "#fff" };
    let style = format!("fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.4\"");
    match number % 5 {
        0 => format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.6\" {style}/>"),
        1 => {
            format!("<rect x=\"{:.1}\" y=\"{:.1}\" width=\"6.6\" height=\"6.6\" {style}/>", x - 3.3, y - 3.3)
        }
        2 => format!("<path d=\"M{x:.1} {:.1}l4.2 7.4h-8.4z\" {style}/>", y - 4.6),
        3 => format!("<path d=\"M{x:.1} {:.1}l4.6 4.6l-4.6 4.6l-4.6-4.6z\" {style}/>", y - 4.6),
        _ => format!("<path d=\"M{x:.1} {:.1}l4.2-7.4h-8.4z\" {style}/>", y + 4.6),
    }
}

/// 1, 2 or 5 times a power of ten, four to nine of which make `range`.
fn step(range: f64) -> f64 {
    if range <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf((range / 5.0).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|by| by * power)
        .into_iter()
        .find(|step| range / step <= 9.0)
        .unwrap_or(10.0 * power)
}

/// Text as XML wants it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
