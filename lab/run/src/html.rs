//! A chart as one self-contained page that shows the values under the pointer.

use crate::{
    Chart, Scale,
    chart::{BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, colour, escaped},
};

/// What the page does when the pointer moves: a line at the nearest x, and a table of all values there, lowest last.
const SCRIPT: &str = r##"
const svg = document.querySelector('svg'), tip = document.getElementById('tip');
const rule = document.createElementNS('http://www.w3.org/2000/svg', 'path');
rule.setAttribute('stroke', '#333'); svg.appendChild(rule);
const scale = v => chart.log ? Math.log(v) : v;
const across = v => chart.left + (scale(v) - scale(chart.least)) / (scale(chart.most) - scale(chart.least)) * chart.width;
const hide = () => { tip.style.display = 'none'; rule.removeAttribute('d'); };
svg.addEventListener('pointerleave', hide);
svg.addEventListener('pointermove', e => {
  const box = svg.getBoundingClientRect(), zoom = box.width / chart.full;
  const at = (e.clientX - box.left) / zoom;
  if (at < chart.left - 10 || at > chart.left + chart.width + 10) return hide();
  let best = 0;
  chart.x.forEach((v, i) => { if (Math.abs(across(v) - at) < Math.abs(across(chart.x[best]) - at)) best = i; });
  rule.setAttribute('d', `M${across(chart.x[best])} ${chart.top}V${chart.bottom}`);
  const rows = chart.lines.filter(l => l.y[best] !== null).sort((a, b) => b.y[best] - a.y[best]).map(l =>
    `<tr><td style="color:${l.colour}">&#9632; ${l.name}</td><td>${l.text[best]}</td></tr>`);
  tip.innerHTML = `<b>${chart.label[best]}</b><table>${rows.join('')}</table>`;
  tip.style.display = 'block';
  const left = e.pageX + 18 + tip.offsetWidth > document.body.clientWidth ? e.pageX - 18 - tip.offsetWidth : e.pageX + 18;
  tip.style.left = left + 'px'; tip.style.top = (e.pageY + 12) + 'px';
});
"##;

const STYLE: &str = "body{margin:0;font:13px Helvetica,Arial,sans-serif;background:#fff;color:#222}\
svg{display:block;width:100%;max-width:1200px;margin:auto}\
#tip{position:absolute;display:none;background:#fff;border:1px solid #999;padding:6px 10px;pointer-events:none;\
box-shadow:0 2px 8px #0003}td{padding:1px 8px 1px 0}td+td{text-align:right;font-variant-numeric:tabular-nums}";

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text).replace('\\', "\\\\").replace('\n', " "))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// The page.
#[must_use]
pub fn page(chart: &Chart) -> String {
    let xs: Vec<f64> = chart
        .lines
        .iter()
        .max_by_key(|line| line.points.len())
        .map_or(Vec::new(), |line| line.points.iter().map(|point| point.0).collect());
    let lines = chart.lines.iter().enumerate().map(|(number, line)| {
        let at = |x: f64| line.points.iter().position(|point| point.0 == x);
        let value = |&x: &f64| at(x).map_or("null".to_owned(), |i| line.points[i].1.to_string());
        let text = |&x: &f64| {
            let error = |i: usize| line.errors.get(i).copied().filter(|&error| error > 0.0);
            let off = |i| error(i).map_or(String::new(), |error| format!(" ± {}", (chart.y_text)(error)));
            quoted(
                &at(x).map_or(String::new(), |i| format!("{}{}", (chart.y_text)(line.points[i].1), off(i))),
            )
        };
        format!(
            "{{name:{},colour:\"{}\",y:{},text:{}}}",
            quoted(&line.name),
            colour(number),
            list(xs.iter().map(value)),
            list(xs.iter().map(text))
        )
    });
    let (least, most) = chart.x_range();
    let data = format!(
        "const chart={{log:{},left:{LEFT},width:{},full:{WIDTH},top:{TOP},bottom:{},least:{least},most:{most},x:{},\
         label:{},lines:{}}};",
        chart.x_scale == Scale::Log,
        WIDTH - LEFT - RIGHT,
        HEIGHT - BOTTOM,
        list(xs.iter().map(f64::to_string)),
        list(xs.iter().map(|&x| quoted(&(chart.x_text)(x)))),
        list(lines)
    );
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}</style>\n<body>\n\
         {}<div id=\"tip\"></div>\n<script>{data}{SCRIPT}</script>\n</body></html>\n",
        escaped(&chart.title),
        chart.svg()
    )
}
