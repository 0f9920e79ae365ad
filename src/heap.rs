//! Leaves the heap of the C library as requests find it best.

use core::hint::black_box;

use nginx_sys::{ngx_cycle_t, ngx_int_t, NGX_OK};

/// So much nginx asks for at a time for a request's pool, unless `request_pool_size` says otherwise, and for most buffers.
const POOL: usize = 4096;

/// From blocks of this size connections can take what they need, so that those for requests stay whole.
const SPARE: usize = 3000;

/// A request needs two of the latter, and some more if it is passed on. The former come first, to take up the gaps that there
/// are.
const BLOCKS: [usize; 12] = [
    SPARE, SPARE, SPARE, SPARE, POOL, POOL, POOL, POOL, POOL, POOL, POOL, POOL,
];

/// What is freed in these sizes, the C library keeps for itself for a while: neighbours do not grow together. It keeps seven
/// of a size.
const FENCES: [usize; 2] = [1000, 984];

/// Leaves a few free blocks that fit the pools of requests.
///
/// With the configuration read, what is free is by chance a little smaller or larger. Blocks that have to be cut out of
/// larger ones and grow together with them again, with every request, cost it more than anything else in this module.
pub(crate) unsafe extern "C" fn prepare(_: *mut ngx_cycle_t) -> ngx_int_t {
    let mut fences = FENCES.into_iter().cycle();
    let mut fence = || block(fences.next().unwrap_or_default());
    let blocks = BLOCKS.map(|size| (fence(), block(size)));
    let last = fence();
    // The blocks are freed first, while their neighbours are still there.
    let fences = blocks.map(|(fence, _)| fence);
    drop((fences, last));
    NGX_OK as ngx_int_t
}

/// Memory that nobody uses, unless there is none.
fn block(size: usize) -> Vec<u8> {
    let mut block = Vec::new();
    let _ = black_box(&mut block).try_reserve_exact(size);
    black_box(block)
}
