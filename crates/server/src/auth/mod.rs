//! Who is calling, and what is signed or sealed for whom.

pub mod api_token;
pub mod file_link;
pub mod master_key;
pub mod participant_token;
pub mod turn;
