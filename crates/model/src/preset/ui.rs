//! How a meeting looks to the holder of a preset.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::number::Number;

/// How the meeting looks to its holder.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresetUi {
    /// Shapes, sizes and colours.
    pub design_tokens: DesignTokens,
    /// Settings of the caller's tools; kept and given back.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub config_diff: Map<String, Value>,
}

/// Shapes, sizes and colours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DesignTokens {
    /// Shape of corners.
    pub border_radius: BorderRadius,
    /// Width of borders.
    pub border_width: BorderWidth,
    /// The unit of distances, in pixels.
    #[cfg_attr(feature = "schema", schema(value_type = f64, minimum = 1))]
    pub spacing_base: Number,
    /// Light or dark.
    pub theme: Theme,
    /// Colours.
    pub colors: DesignColors,
    /// The font, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub font_family: Option<String>,
    /// The font, by its name at Google Fonts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub google_font: Option<String>,
    /// Address of a logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = "uri"))]
    pub logo: Option<String>,
}

impl Default for DesignTokens {
    fn default() -> Self {
        Self {
            border_radius: BorderRadius::Rounded,
            border_width: BorderWidth::Thin,
            spacing_base: 4.into(),
            theme: Theme::Dark,
            colors: DesignColors::default(),
            font_family: None,
            google_font: None,
            logo: None,
        }
    }
}

/// Shape of corners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BorderRadius {
    /// None.
    Sharp,
    /// Small.
    Rounded,
    /// Large.
    ExtraRounded,
    /// As large as can be.
    Circular,
}

/// Width of borders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum BorderWidth {
    /// No borders.
    None,
    /// Thin.
    Thin,
    /// Thick.
    Fat,
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Black.
    Darkest,
    /// Dark.
    Dark,
    /// Light.
    Light,
}

/// Colours, as in CSS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[allow(missing_docs)] // the names say it
pub struct DesignColors {
    pub brand: BrandColors,
    pub background: BackgroundColors,
    pub danger: String,
    pub success: String,
    pub text: String,
    pub text_on_brand: String,
    pub video_bg: String,
    pub warning: String,
}

impl Default for DesignColors {
    fn default() -> Self {
        Self {
            brand: BrandColors::default(),
            background: BackgroundColors::default(),
            danger: "#FF2D2D".into(),
            success: "#62A504".into(),
            text: "#EEEEEE".into(),
            text_on_brand: "#EEEEEE".into(),
            video_bg: "#191919".into(),
            warning: "#FFCD07".into(),
        }
    }
}

/// Shades of the brand's colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[allow(missing_docs)] // the names say it
pub struct BrandColors {
    #[serde(rename = "300")]
    pub shade_300: String,
    #[serde(rename = "400")]
    pub shade_400: String,
    #[serde(rename = "500")]
    pub shade_500: String,
    #[serde(rename = "600")]
    pub shade_600: String,
    #[serde(rename = "700")]
    pub shade_700: String,
}

impl Default for BrandColors {
    fn default() -> Self {
        Self {
            shade_300: "#844d1c".into(),
            shade_400: "#9d5b22".into(),
            shade_500: "#b56927".into(),
            shade_600: "#d37c30".into(),
            shade_700: "#d9904f".into(),
        }
    }
}

/// Shades of the background.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[allow(missing_docs)] // the names say it
pub struct BackgroundColors {
    #[serde(rename = "600")]
    pub shade_600: String,
    #[serde(rename = "700")]
    pub shade_700: String,
    #[serde(rename = "800")]
    pub shade_800: String,
    #[serde(rename = "900")]
    pub shade_900: String,
    #[serde(rename = "1000")]
    pub shade_1000: String,
}

impl Default for BackgroundColors {
    fn default() -> Self {
        Self {
            shade_600: "#222222".into(),
            shade_700: "#1f1f1f".into(),
            shade_800: "#1b1b1b".into(),
            shade_900: "#181818".into(),
            shade_1000: "#141414".into(),
        }
    }
}
