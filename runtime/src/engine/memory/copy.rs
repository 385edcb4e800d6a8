//! The portable way: the memory is copied when a transaction begins, and copied back when it is undone.
//!
//! Of the image area only the part is copied that holds stack and data: what lies between it and the heap belongs to nothing.
//! Growth stays, as zeros behind the old end: the mod's allocator is back in the state in which it did not have them.

use tickswap_linker::limits::IMAGE_AREA_BYTES;

/// The copy of one memory.
#[derive(Debug, Default)]
pub(crate) struct CopyOfAll {
    image: Vec<u8>,
    heap: Vec<u8>,
}

impl CopyOfAll {
    /// Gives the copy's space back.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn begin(&mut self, memory: &[u8], image_end: usize) {
        let (image, heap) = memory.split_at(memory.len().min(IMAGE_AREA_BYTES as usize));
        self.image.clear();
        self.image.extend_from_slice(&image[..image_end.min(image.len())]);
        self.heap.clear();
        self.heap.extend_from_slice(heap);
    }

    pub(super) fn roll_back(&mut self, memory: &mut [u8]) {
        let (image, heap) = memory.split_at_mut(memory.len().min(IMAGE_AREA_BYTES as usize));
        for (now, before) in [(&mut *image, &self.image), (&mut *heap, &self.heap)] {
            let length = before.len().min(now.len());
            now[..length].copy_from_slice(&before[..length]);
        }
        let kept = self.heap.len().min(heap.len());
        heap[kept..].fill(0);
    }
}
